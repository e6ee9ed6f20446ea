/** Merges a contract document into the one that it extends (`"extends": "builtin"`, or the path of a file); pure. */
import type { ContractDocument, GroupEntry, ProfileEntry, VariableEntry } from "../generated/document.ts";
import { defaultLines, mergeEntries } from "./compile.ts";

type Sections = NonNullable<ContractDocument["sections"]>;

/**
 * Merges a document into the one that it extends. A member of a variable or of a profile replaces that member of the base.
 * A group, a scope or a section replaces the whole one of the same name or title. If the document has no sections, what it
 * adds is a last section. The name of the base is not inherited: it is the name of another project.
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

function mergeSections(base: ContractDocument, extension: ContractDocument): Sections | undefined {
  if (extension.sections === undefined) {
    return base.sections === undefined ? undefined : [...base.sections, ...additionalSections(base, extension)];
  }
  const sectionsByTitle = new Map(extension.sections.map((section) => [section.title, section]));
  const inherited = base.sections ?? defaultSections("Contract", base.variables ?? {}, base.groups ?? {});
  const titles = new Set(inherited.map(({ title }) => title));
  return [
    ...inherited.map((section) => sectionsByTitle.get(section.title) ?? section),
    ...extension.sections.filter(({ title }) => !titles.has(title)),
  ];
}

/** Returns a section with the variables and groups that only the extension declares; none if there are none. */
function additionalSections(base: ContractDocument, extension: ContractDocument): Sections {
  const listed = new Set(base.sections?.flatMap(({ lines }) => lines));
  const isNew = ([name]: readonly [string, unknown]): boolean =>
    !listed.has(name) && !Object.hasOwn(base.variables ?? {}, name) && !Object.hasOwn(base.groups ?? {}, name);
  const newEntries = <Entry>(entries: Readonly<Record<string, Entry>> = {}): Readonly<Record<string, Entry>> =>
    Object.fromEntries(Object.entries(entries).filter(isNew));
  return defaultSections("Further Variables", newEntries(extension.variables), newEntries(extension.groups));
}

function defaultSections(
  title: string,
  variables: Readonly<Record<string, VariableEntry>>,
  groups: Readonly<Record<string, GroupEntry>>,
): Sections {
  const lines = defaultLines(Object.keys(variables), new Map(Object.entries(groups)));
  return lines.length === 0 ? [] : [{ title, lines }];
}

function mergeProfiles(
  base: Readonly<Record<string, ProfileEntry>>,
  extension: Readonly<Record<string, ProfileEntry>>,
): Readonly<Record<string, ProfileEntry>> {
  const merged = Object.entries(extension).map(([name, profile]): [string, ProfileEntry] => {
    // An object also has inherited members, such as `constructor`, which are no profiles.
    const baseProfile = Object.hasOwn(base, name) ? base[name] : undefined;
    if (baseProfile === undefined) return [name, profile];
    const { variables, groups } = mergeEntries(baseProfile, [profile]);
    return [
      name,
      { ...baseProfile, ...profile, variables: Object.fromEntries(variables), groups: Object.fromEntries(groups) },
    ];
  });
  return { ...base, ...Object.fromEntries(merged) };
}
