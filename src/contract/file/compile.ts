/** Compiles the document of a contract file to a {@link Contract}, for one profile; pure. */
import { printable } from "../../core/text.ts";
import type { ContractDocument, FormatEntry, GroupEntry, ProfileEntry, VariableEntry } from "../generated/document.ts";
import type {
  Alias,
  Contract,
  ContractEnvironment,
  ContractSource,
  Declaration,
  GroupRule,
  Interval,
  Rule,
  Section,
  SectionLine,
  ValueFormat,
} from "../contract-model.ts";
import { compilePattern } from "../pattern/pattern.ts";

/**
 * Compiles one profile of a valid document, or the document without a profile. The time is linear in the size of the
 * document.
 */
export function compileContract(
  document: ContractDocument,
  source: ContractSource,
  profile: string | undefined,
  environment?: ContractEnvironment,
): Contract {
  const profiles = profilesOf(document);
  const lineage = profile === undefined ? [] : lineageOf(profiles, profile);
  const { variables, groups } = mergeEntries(document, lineage);
  const override = lineage.findLast((entry) => entry.override !== undefined)?.override;
  const declarations = new Map<string, Declaration>();
  const aliases = new Map<string, string>();
  const deprecated = new Map<string, string>();
  variables.forEach((entry, name) => {
    const declaration = declare(name, entry);
    declarations.set(name, declaration);
    if (declaration.deprecated !== undefined) deprecated.set(name, declaration.deprecated);
    declaration.aliases.forEach((alias) => {
      aliases.set(alias.name, name);
      if (alias.deprecated) deprecated.set(alias.name, name);
    });
  });
  const groupRules: GroupRule[] = [];
  groups.forEach((entry, group) => {
    const { rule: kind = "optional", variables: names = [] } = entry;
    if (kind !== "optional") groupRules.push({ kind, group, label: shownLabel(entry, group), names });
  });
  let sections: readonly Section[] | undefined;
  return {
    source,
    ...(document.name === undefined ? {} : { name: printable(document.name) }),
    variables: declarations,
    aliases,
    deprecated,
    rules: [...variableRules(variables, groupRules), ...groupRules],
    // Computed at the first use: a plain start does not need them.
    get sections() {
      return (sections ??= sectionsOf(document, declarations, groups));
    },
    ...(environment === undefined ? {} : { environment }),
    ...(profile === undefined ? {} : { profile }),
    ...(override === undefined ? {} : { override }),
    ...(document.rotateEvery === undefined ? {} : { rotateEvery: rotationOf(document.rotateEvery) }),
    ...(document.refresh === undefined ? {} : { refresh: document.refresh }),
    ...(document.awsRefresh === undefined ? {} : { awsRefresh: document.awsRefresh }),
    profiles: [...profiles.keys()],
    scopes: scopesOf(document, groups),
  };
}

/** Returns the profiles by name: a Map, since an object inherits names. */
export function profilesOf({ profiles = {} }: ContractDocument): ReadonlyMap<string, ProfileEntry> {
  return new Map(Object.entries(profiles));
}

/** Returns a profile and those that it extends, in the order in which they are merged: each profile comes after its bases. */
export function lineageOf(profiles: ReadonlyMap<string, ProfileEntry>, profile: string): readonly ProfileEntry[] {
  return lineageNamesOf(profiles, profile).flatMap((name) => profiles.get(name) ?? []);
}

/** Returns the names of {@link lineageOf}. This is not recursive: a chain may have a hundred thousand profiles. */
export function lineageNamesOf(profiles: ReadonlyMap<string, ProfileEntry>, profile: string): readonly string[] {
  const visited = new Set<string>();
  const names: string[] = [];
  /** Profiles to visit, and profiles whose bases have been visited once the element is reached. */
  const pending: (string | { readonly basesVisited: string })[] = [profile];
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    if (typeof step !== "string") names.push(step.basesVisited);
    else if (!visited.has(step)) {
      visited.add(step);
      const entry = profiles.get(step);
      if (entry !== undefined) pending.push({ basesVisited: step }, ...listOf(entry.extends).toReversed());
    }
  }
  return names;
}

type Entries = Pick<ProfileEntry, "variables" | "groups">;

interface MergedEntries {
  readonly variables: Map<string, VariableEntry>;
  readonly groups: Map<string, Partial<GroupEntry>>;
}
type Groups = ReadonlyMap<string, Partial<GroupEntry>>;

/** Merges variables and groups with those of profiles. A member of a later profile replaces that of an earlier one. */
export function mergeEntries(document: Entries, profiles: readonly Entries[]): MergedEntries {
  const merged: MergedEntries = { variables: new Map(), groups: new Map() };
  for (const { variables = {}, groups = {} } of [document, ...profiles]) {
    mergeInto(merged.variables, variables);
    mergeInto<Partial<GroupEntry>>(merged.groups, groups);
  }
  return merged;
}

/** Merges entries into the entries of the same name: each of their members replaces one. */
export function mergeInto<Member extends object>(map: Map<string, Member>, members: Readonly<Record<string, Member>>) {
  // Object.entries would allocate an array for each of thousands of entries.
  Object.keys(members).forEach((name) => {
    const baseMember = map.get(name);
    const member = members[name];
    if (member !== undefined) map.set(name, baseMember === undefined ? member : { ...baseMember, ...member });
  });
}

/** Returns the values of a member that is one text or a list. */
export function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

/** Compiles one variable. This assigns members, since spreading is slower for hundreds of variables with few members. */
function declare(name: string, entry: VariableEntry): Declaration {
  const { description = "", example, docs, aliases, deprecated, format, rotateEvery } = entry;
  const declaration: { -readonly [Key in keyof Declaration]: Declaration[Key] } = {
    name,
    label: shownLabel(entry, name),
    description,
    secret: isSecret(entry),
    aliases: aliases === undefined ? NO_ALIASES : aliases.map(aliasOf),
  };
  if (example !== undefined) declaration.example = example;
  if (docs !== undefined) declaration.docs = docs;
  if (entry.reason !== undefined) declaration.reason = printable(entry.reason);
  if (entry.default !== undefined) declaration.default = entry.default;
  if (deprecated !== undefined) declaration.deprecated = deprecated;
  if (entry.as !== undefined) declaration.as = entry.as;
  if (format !== undefined) declaration.format = formatOf(format);
  if (rotateEvery !== undefined) declaration.rotateEvery = rotationOf(rotateEvery);
  if (entry.probe !== undefined) declaration.probe = entry.probe;
  if (entry.broker !== undefined) declaration.broker = entry.broker;
  return declaration;
}

const NO_ALIASES: readonly Alias[] = [];

function aliasOf(alias: NonNullable<VariableEntry["aliases"]>[number]): Alias {
  return { deprecated: false, ...(typeof alias === "string" ? { name: alias } : alias) };
}

/**
 * Returns true if a variable is a secret. If the contract does not say so, every variable is one, except if the contract
 * contains its value: as a default, or as one of the few values of its format.
 */
export function isSecret({ secret, default: fallback, format }: VariableEntry): boolean {
  const type = typeof format === "object" ? format.type : format;
  const hasFewValues = type === "enum" || type === "boolean" || type === "port";
  return secret ?? !(fallback !== undefined || hasFewValues);
}

/** Compiles a format. The pattern must be valid: see examineFormat in variable-meaning.ts. */
export function formatOf(entry: FormatEntry): ValueFormat {
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

/** Parses an interval: `90 days`, or `1 year`. The schema has checked the form. */
function rotationOf(text: string): Interval | "never" {
  if (text === "never") return text;
  const [count, word = ""] = text.split(" ");
  return { count: Number(count), unit: UNITS.find((unit) => word.startsWith(unit)) ?? "day" };
}

/** Returns a rule for each variable, except for optional variables of a group: the group's rule decides about them. */
function variableRules(variables: ReadonlyMap<string, VariableEntry>, groupRules: readonly GroupRule[]): Rule[] {
  const grouped = new Set(groupRules.flatMap(({ names }) => names));
  const rules: Rule[] = [];
  variables.forEach(({ required = false }, name) => {
    if (required === true) rules.push({ kind: "required", name });
    else if (required === false) {
      if (!grouped.has(name)) rules.push({ kind: "optional", name });
    } else {
      const { when, equals } = required;
      const condition = { name: when, ...(equals === undefined ? {} : { equals: listOf(equals) }) };
      rules.push({ kind: "required-when", name, when: condition });
    }
  });
  return rules;
}

function sectionsOf(
  { sections }: ContractDocument,
  variables: ReadonlyMap<string, Declaration>,
  groups: Groups,
): readonly Section[] {
  const linesOf = (ids: readonly string[]): readonly SectionLine[] =>
    ids.flatMap((id): readonly SectionLine[] => {
      const declaration = variables.get(id);
      if (declaration !== undefined) return [{ kind: "variable", name: id, label: declaration.label }];
      const group = groups.get(id);
      if (group === undefined) return [];
      return [{ kind: "group", group: id, label: shownLabel(group, id), names: group.variables ?? [] }];
    });
  if (sections !== undefined)
    return sections.map((section) => ({ title: printable(section.title), lines: linesOf(section.lines) }));
  const allLines = linesOf(defaultLines(variables.keys(), groups));
  return allLines.length === 0 ? [] : [{ title: "Contract", lines: allLines }];
}

/** Returns the label, with control characters made visible; otherwise the name, in which the schema allows none. */
function shownLabel({ label }: Pick<VariableEntry, "label">, name: string): string {
  return label === undefined ? name : printable(label);
}

/** Returns the lines for a document without sections: groups of which one variable is used, then the remaining variables. */
export function defaultLines(variables: Iterable<string>, groups: Groups): readonly string[] {
  const choices = Array.from(groups).filter(([, { rule }]) => rule === "one-of" || rule === "exactly-one");
  const members = new Set(choices.flatMap(([, group]) => group.variables ?? []));
  return [...choices.map(([id]) => id), ...Array.from(variables).filter((name) => !members.has(name))];
}

/** Returns the variables of each scope, with the members of groups in place of the groups. */
function scopesOf({ scopes = {} }: ContractDocument, groups: Groups): ReadonlyMap<string, readonly string[]> {
  const membersOf = (id: string): readonly string[] => groups.get(id)?.variables ?? [id];
  return new Map(Object.entries(scopes).map(([name, ids]) => [name, [...new Set(ids.flatMap(membersOf))]]));
}
