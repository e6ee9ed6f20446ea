/** From the contract file's shape to the Contract that the program works with; pure. */
import { printable } from "../../core/text.ts";
import type { ContractDocument, FormatEntry, GroupEntry, ProfileEntry, VariableEntry } from "../generated/document.ts";
import type {
  Contract,
  ContractSource,
  Declaration,
  GroupRule,
  Interval,
  Rule,
  Section,
  SectionLine,
  TextPattern,
  ValueFormat,
} from "../model.ts";

/** Makes a pattern ready; see `compilePattern`. */
export type PatternCompiler = (source: string) => TextPattern;

/**
 * Builds the contract of one profile. The document must have passed validation: names that rules and profiles
 * mention exist, profiles do not extend themselves. Linear in the size of the document.
 */
export function compileContract(
  document: ContractDocument,
  source: ContractSource,
  profile: string | undefined,
  compilePattern: PatternCompiler,
): Contract {
  const profiles = profilesOf(document);
  const { variables, groups } = mergeEntries(document, profile === undefined ? [] : lineage(profiles, profile));
  const declarations = new Map<string, Declaration>();
  const aliases = new Map<string, string>();
  const deprecated = new Map<string, string>();
  for (const [name, entry] of variables) {
    const declaration = declare(name, entry, compilePattern);
    declarations.set(name, declaration);
    if (declaration.deprecated !== undefined) deprecated.set(name, declaration.deprecated);
    for (const alias of declaration.aliases) {
      aliases.set(alias.name, name);
      if (alias.deprecated) deprecated.set(alias.name, name);
    }
  }
  const groupRules = Array.from(groups, ([group, { rule: kind = "optional", label = group, variables: names = [] }]) =>
    kind === "optional" ? [] : [{ kind, group, label: printable(label), names }],
  ).flat();
  return {
    source,
    variables: declarations,
    aliases,
    deprecated,
    rules: [...variableRules(variables, groupRules), ...groupRules],
    sections: sectionsOf(document, declarations, groups),
    ...(profile === undefined ? {} : { profile }),
    ...(document.rotateEvery === undefined ? {} : { rotateEvery: rotationOf(document.rotateEvery) }),
    profiles: [...profiles.keys()],
    scopes: scopesOf(document, groups),
  };
}

/** The profiles of a document by name: a Map, since an object has names that it inherits. */
export function profilesOf({ profiles = {} }: ContractDocument): ReadonlyMap<string, ProfileEntry> {
  return new Map(Object.entries(profiles));
}

/** The profile with those it extends, the farthest first, so that each one overrides those before it. */
export function lineage(profiles: ReadonlyMap<string, ProfileEntry>, profile: string): readonly ProfileEntry[] {
  const seen = new Set<string>();
  const entries: ProfileEntry[] = [];
  const visit = (name: string): void => {
    const entry = profiles.get(name);
    if (entry === undefined || seen.has(name)) return;
    seen.add(name);
    for (const base of listOf(entry.extends)) visit(base);
    entries.push(entry);
  };
  visit(profile);
  return entries;
}

type Entries = Pick<ProfileEntry, "variables" | "groups">;

/** The document's variables and groups with those of the profiles laid over them, field by field. */
export function mergeEntries(document: Entries, profiles: readonly Entries[]) {
  const variables = new Map(Object.entries(document.variables ?? {}));
  const groups = new Map<string, Partial<GroupEntry>>(Object.entries(document.groups ?? {}));
  for (const profile of profiles) {
    for (const [name, overlay] of Object.entries(profile.variables ?? {})) {
      variables.set(name, { ...variables.get(name), ...overlay });
    }
    for (const [group, overlay] of Object.entries(profile.groups ?? {})) {
      groups.set(group, { ...groups.get(group), ...overlay });
    }
  }
  return { variables, groups };
}

/** One string or several, as a list. */
export function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

function declare(name: string, entry: VariableEntry, compilePattern: PatternCompiler): Declaration {
  const { aliases = [], format, label = name, rotateEvery, required: _, ...stated } = entry;
  return {
    name,
    // One line on a terminal, to which whoever wrote the contract may not send commands.
    label: printable(label),
    description: "",
    secret: isSecret(entry),
    aliases: aliases.map((alias) => ({ deprecated: false, ...(typeof alias === "string" ? { name: alias } : alias) })),
    ...stated,
    ...(format === undefined ? {} : { format: formatOf(format, compilePattern) }),
    ...(rotateEvery === undefined ? {} : { rotateEvery: rotationOf(rotateEvery) }),
  };
}

/**
 * Unless the contract says otherwise, a value is a secret. A value that the contract itself contains is not: a default,
 * or one of the few that the format allows.
 */
export function isSecret({ secret, default: fallback, format }: VariableEntry): boolean {
  const type = typeof format === "object" ? format.type : format;
  return secret ?? !(fallback !== undefined || type === "enum" || type === "boolean" || type === "port");
}

/** The format as the program knows it. */
export function formatOf(entry: FormatEntry, compilePattern: PatternCompiler): ValueFormat {
  const format: Exclude<FormatEntry, string> = typeof entry === "string" ? { type: entry } : entry;
  switch (format.type) {
    case "text":
      return {
        kind: "text",
        prefixes: listOf(format.prefix),
        minLength: format.minLength ?? 0,
        ...(format.pattern === undefined ? {} : { pattern: compilePattern(format.pattern) }),
      };
    case "url":
      return { kind: "url", schemes: format.schemes ?? [] };
    case "integer":
    case "number": {
      const { type, ...range } = format;
      return { kind: type, ...range };
    }
    case "enum":
      return { kind: "enum", values: format.values };
    case "boolean":
    case "port":
    case "json":
    case "base64":
    case "email":
      return { kind: format.type };
  }
}

const UNITS = ["day", "week", "month", "year"] as const;

/** `90 days`, or `never`. */
function rotationOf(text: string): Interval | "never" {
  if (text === "never") return text;
  const [count, word = ""] = text.split(" ");
  return { count: Number(count), unit: UNITS.find((unit) => word.startsWith(unit)) ?? "day" };
}

/** A variable of a group is not shown as optional: the group's rule is its own. */
function variableRules(variables: ReadonlyMap<string, VariableEntry>, groupRules: readonly GroupRule[]): Rule[] {
  const grouped = new Set(groupRules.flatMap(({ names }) => names));
  return Array.from(variables).flatMap(([name, { required = false }]): Rule[] => {
    if (required === true) return [{ kind: "required", name }];
    if (required === false) return grouped.has(name) ? [] : [{ kind: "optional", name }];
    const { when, equals } = required;
    const condition = { name: when, ...(equals === undefined ? {} : { equals: listOf(equals) }) };
    return [{ kind: "required-when", name, when: condition }];
  });
}

function sectionsOf(
  { sections }: ContractDocument,
  variables: ReadonlyMap<string, Declaration>,
  groups: ReadonlyMap<string, Partial<GroupEntry>>,
): readonly Section[] {
  if (sections !== undefined) {
    return sections.map(({ title, lines }) => ({
      title: printable(title),
      lines: sectionLines(lines, variables, groups),
    }));
  }
  const lines = sectionLines(defaultLines(variables.keys(), groups), variables, groups);
  return lines.length === 0 ? [] : [{ title: "Contract", lines }];
}

function sectionLines(
  ids: readonly string[],
  variables: ReadonlyMap<string, Declaration>,
  groups: ReadonlyMap<string, Partial<GroupEntry>>,
): readonly SectionLine[] {
  return ids.flatMap((id): readonly SectionLine[] => {
    const declaration = variables.get(id);
    if (declaration !== undefined) return [variableLine(declaration)];
    const group = groups.get(id);
    if (group === undefined) return [];
    return [{ kind: "group", group: id, label: printable(group.label ?? id), names: group.variables ?? [] }];
  });
}

/** What is shown where no section says it: each group of which one variable serves, then the other variables. */
export function defaultLines(
  variables: Iterable<string>,
  groups: ReadonlyMap<string, Partial<GroupEntry>>,
): readonly string[] {
  const shown = Array.from(groups).filter(([, { rule }]) => rule === "one-of" || rule === "exactly-one");
  const members = new Set(shown.flatMap(([, group]) => group.variables ?? []));
  return [...shown.map(([id]) => id), ...Array.from(variables).filter((name) => !members.has(name))];
}

/** The variables of each scope, those of its groups among them. */
function scopesOf(
  { scopes = {} }: ContractDocument,
  groups: ReadonlyMap<string, Partial<GroupEntry>>,
): ReadonlyMap<string, readonly string[]> {
  const membersOf = (id: string): readonly string[] => groups.get(id)?.variables ?? [id];
  return new Map(Object.entries(scopes).map(([name, ids]) => [name, [...new Set(ids.flatMap(membersOf))]]));
}

function variableLine({ name, label }: Declaration): SectionLine {
  return { kind: "variable", name, label };
}
