/**
 * Merges the document of a contract into the one that it extends (`"extends": "builtin"`, or the path of a file).
 * load-file.ts imports this only for a contract with `extends`.
 */
import type { ContractDocument, GroupEntry, ProfileEntry, VariableEntry } from "../generated/document.ts";
import { listDefaultLines, mergeEntries } from "./compile.ts";

type Sections = NonNullable<ContractDocument["sections"]>;

/**
 * Merges a document into the one that it extends:
 *
 * - A variable or a profile that both have is merged: its members in the extension replace those in the base.
 * - A group or scope with the same name, and a section with the same title, replaces that of the base.
 * - If the extension has no sections, the variables and groups that it adds become the last section.
 * - The name is not inherited, since the base belongs to another project.
 *
 * @param extension the document with `extends`
 */
export function mergeDocuments(base: ContractDocument, extension: ContractDocument): ContractDocument {
  const { variables } = mergeEntries(base, [{ variables: extension.variables ?? {} }]);
  const sections = mergeSections(base, extension);
  const environment = extension.environment ?? base.environment;
  const rotateEvery = extension.rotateEvery ?? base.rotateEvery;
  const refresh = extension.refresh ?? base.refresh;
  const awsRefresh = extension.awsRefresh ?? base.awsRefresh;
  return {
    ...(extension.name === undefined ? {} : { name: extension.name }),
    ...(environment === undefined ? {} : { environment }),
    variables: Object.fromEntries(variables),
    groups: { ...base.groups, ...extension.groups },
    ...(sections === undefined ? {} : { sections }),
    ...(rotateEvery === undefined ? {} : { rotateEvery }),
    ...(refresh === undefined ? {} : { refresh }),
    ...(awsRefresh === undefined ? {} : { awsRefresh }),
    scopes: { ...base.scopes, ...extension.scopes },
    profiles: mergeProfiles(base.profiles ?? {}, extension.profiles ?? {}),
  };
}

/** Returns the sections of the merged document; undefined if all variables must be in one section. */
function mergeSections(base: ContractDocument, extension: ContractDocument): Sections | undefined {
  if (extension.sections === undefined) {
    return base.sections === undefined ? undefined : [...base.sections, ...additionalSections(base, extension)];
  }
  const replacements = new Map(extension.sections.map((section) => [section.title, section]));
  const inherited = base.sections ?? defaultSections("Contract", base.variables ?? {}, base.groups ?? {});
  const inheritedTitles = new Set(inherited.map(({ title }) => title));
  return [
    ...inherited.map((section) => replacements.get(section.title) ?? section),
    ...extension.sections.filter(({ title }) => !inheritedTitles.has(title)),
  ];
}

/**
 * Returns a section with the variables and groups that only the extension declares; an empty list if there are none.
 */
function additionalSections(base: ContractDocument, extension: ContractDocument): Sections {
  const listed = new Set(base.sections?.flatMap(({ lines }) => lines));
  const isNew = ([name]: readonly [string, unknown]): boolean =>
    !listed.has(name) && !Object.hasOwn(base.variables ?? {}, name) && !Object.hasOwn(base.groups ?? {}, name);
  const newEntries = <Entry>(entries: Readonly<Record<string, Entry>> = {}): Readonly<Record<string, Entry>> =>
    Object.fromEntries(Object.entries(entries).filter(isNew));
  return defaultSections("Further Variables", newEntries(extension.variables), newEntries(extension.groups));
}

/** Returns one section with all variables and groups; an empty list if there are none. */
function defaultSections(
  title: string,
  variables: Readonly<Record<string, VariableEntry>>,
  groups: Readonly<Record<string, GroupEntry>>,
): Sections {
  const lines = listDefaultLines(Object.keys(variables), new Map(Object.entries(groups)));
  return lines.length === 0 ? [] : [{ title, lines }];
}

function mergeProfiles(
  base: Readonly<Record<string, ProfileEntry>>,
  extension: Readonly<Record<string, ProfileEntry>>,
): Readonly<Record<string, ProfileEntry>> {
  const mergedEntries = Object.entries(extension).map(([name, profile]): [string, ProfileEntry] => {
    // A profile may have the name of an inherited member of objects, such as `constructor`.
    const baseProfile = Object.hasOwn(base, name) ? base[name] : undefined;
    if (baseProfile === undefined) return [name, profile];
    const { variables, groups } = mergeEntries(baseProfile, [profile]);
    return [
      name,
      { ...baseProfile, ...profile, variables: Object.fromEntries(variables), groups: Object.fromEntries(groups) },
    ];
  });
  return { ...base, ...Object.fromEntries(mergedEntries) };
}
