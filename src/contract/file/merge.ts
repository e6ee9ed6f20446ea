import type { ContractDocument, GroupEntry, ProfileEntry, VariableEntry } from "../generated/document.ts";
import { defaultLines, mergeEntries } from "./compile.ts";

type Sections = NonNullable<ContractDocument["sections"]>;

/**
 * Merges a document into the one that it extends. Fields of a variable or profile replace those of the base; a group,
 * scope or section (by its title) replaces a whole one. If the document has no sections, its additions form a last one.
 * The name is the document's own.
 */
export function mergeDocuments(base: ContractDocument, own: ContractDocument): ContractDocument {
  const { variables } = mergeEntries(base, [{ variables: own.variables ?? {} }]);
  const sections = mergeSections(base, own);
  const environment = own.environment ?? base.environment;
  const rotateEvery = own.rotateEvery ?? base.rotateEvery;
  const refresh = own.refresh ?? base.refresh;
  const awsRefresh = own.awsRefresh ?? base.awsRefresh;
  return {
    ...(own.name === undefined ? {} : { name: own.name }),
    ...(environment === undefined ? {} : { environment }),
    variables: Object.fromEntries(variables),
    groups: { ...base.groups, ...own.groups },
    ...(sections === undefined ? {} : { sections }),
    ...(rotateEvery === undefined ? {} : { rotateEvery }),
    ...(refresh === undefined ? {} : { refresh }),
    ...(awsRefresh === undefined ? {} : { awsRefresh }),
    scopes: { ...base.scopes, ...own.scopes },
    profiles: mergeProfiles(base.profiles ?? {}, own.profiles ?? {}),
  };
}

function mergeSections(base: ContractDocument, own: ContractDocument): Sections | undefined {
  if (own.sections === undefined) {
    return base.sections === undefined ? undefined : [...base.sections, ...additions(base, own)];
  }
  const replacing = new Map(own.sections.map((section) => [section.title, section]));
  const inherited = base.sections ?? defaultSections("Contract", base.variables ?? {}, base.groups ?? {});
  const titles = new Set(inherited.map(({ title }) => title));
  return [
    ...inherited.map((section) => replacing.get(section.title) ?? section),
    ...own.sections.filter(({ title }) => !titles.has(title)),
  ];
}

function additions(base: ContractDocument, own: ContractDocument): Sections {
  const shown = new Set(base.sections?.flatMap(({ lines }) => lines));
  const isNew = ([name]: readonly [string, unknown]): boolean =>
    !shown.has(name) && !Object.hasOwn(base.variables ?? {}, name) && !Object.hasOwn(base.groups ?? {}, name);
  const added = <Entry>(entries: Readonly<Record<string, Entry>> = {}): Readonly<Record<string, Entry>> =>
    Object.fromEntries(Object.entries(entries).filter(isNew));
  return defaultSections("Further Variables", added(own.variables), added(own.groups));
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
  own: Readonly<Record<string, ProfileEntry>>,
): Readonly<Record<string, ProfileEntry>> {
  const merged = Object.entries(own).map(([name, profile]): [string, ProfileEntry] => {
    const lower = Object.hasOwn(base, name) ? base[name] : undefined;
    if (lower === undefined) return [name, profile];
    const { variables, groups } = mergeEntries(lower, [profile]);
    return [
      name,
      { ...lower, ...profile, variables: Object.fromEntries(variables), groups: Object.fromEntries(groups) },
    ];
  });
  return { ...base, ...Object.fromEntries(merged) };
}
