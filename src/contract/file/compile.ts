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

/** Compiles one profile of a valid document. Linear in its size. */
export function compileContract(
  document: ContractDocument,
  source: ContractSource,
  profile: string | undefined,
  environment?: ContractEnvironment,
): Contract {
  const profiles = profilesOf(document);
  const entries = profile === undefined ? [] : lineageOf(profiles, profile);
  const { variables, groups } = mergeEntries(document, entries);
  const override = entries.findLast((entry) => entry.override !== undefined)?.override;
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
    // Not needed in exec mode.
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

/** Returns the profile after those that it extends, the farthest first. */
export function lineageOf(profiles: ReadonlyMap<string, ProfileEntry>, profile: string): readonly ProfileEntry[] {
  return lineageNamesOf(profiles, profile).flatMap((name) => profiles.get(name) ?? []);
}

export function lineageNamesOf(profiles: ReadonlyMap<string, ProfileEntry>, profile: string): readonly string[] {
  const seen = new Set<string>();
  const names: string[] = [];
  // A profile comes after those that it extends.
  const pending: (string | { readonly done: string })[] = [profile];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next !== "string") names.push(next.done);
    else if (!seen.has(next)) {
      seen.add(next);
      const entry = profiles.get(next);
      if (entry !== undefined) pending.push({ done: next }, ...listOf(entry.extends).toReversed());
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

/** Merges variables and groups with those of profiles, whose details win; later profiles win over earlier ones. */
export function mergeEntries(document: Entries, profiles: readonly Entries[]): MergedEntries {
  const merged: MergedEntries = { variables: new Map(), groups: new Map() };
  for (const { variables = {}, groups = {} } of [document, ...profiles]) {
    mergeInto(merged.variables, variables);
    mergeInto<Partial<GroupEntry>>(merged.groups, groups);
  }
  return merged;
}

/** Merges members into those of the same name, detail by detail. */
export function mergeInto<Member extends object>(map: Map<string, Member>, members: Readonly<Record<string, Member>>) {
  // Object.entries would make a list for each of thousands of members.
  Object.keys(members).forEach((name) => {
    const lower = map.get(name);
    const member = members[name];
    if (member !== undefined) map.set(name, lower === undefined ? member : { ...lower, ...member });
  });
}

export function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

/** Assigns instead of spreading, which is slower for hundreds of variables with few fields. */
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

/** Returns true unless the contract says otherwise or contains the value: a default, or the few of its format. */
export function isSecret({ secret, default: fallback, format }: VariableEntry): boolean {
  const type = typeof format === "object" ? format.type : format;
  return secret ?? !(fallback !== undefined || type === "enum" || type === "boolean" || type === "port");
}

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

function rotationOf(text: string): Interval | "never" {
  if (text === "never") return text;
  const [count, word = ""] = text.split(" ");
  return { count: Number(count), unit: UNITS.find((unit) => word.startsWith(unit)) ?? "day" };
}

/** Leaves out `optional` for variables of a group, which has a rule of its own. */
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
  const lines = (ids: readonly string[]): readonly SectionLine[] =>
    ids.flatMap((id): readonly SectionLine[] => {
      const declaration = variables.get(id);
      if (declaration !== undefined) return [{ kind: "variable", name: id, label: declaration.label }];
      const group = groups.get(id);
      if (group === undefined) return [];
      return [{ kind: "group", group: id, label: shownLabel(group, id), names: group.variables ?? [] }];
    });
  if (sections !== undefined) return sections.map((one) => ({ title: printable(one.title), lines: lines(one.lines) }));
  const all = lines(defaultLines(variables.keys(), groups));
  return all.length === 0 ? [] : [{ title: "Contract", lines: all }];
}

/** Returns the label without control characters. Names have none by the schema. */
function shownLabel({ label }: Pick<VariableEntry, "label">, name: string): string {
  return label === undefined ? name : printable(label);
}

/** Returns the lines of a document without sections: groups that need one variable, then the other variables. */
export function defaultLines(variables: Iterable<string>, groups: Groups): readonly string[] {
  const shown = Array.from(groups).filter(([, { rule }]) => rule === "one-of" || rule === "exactly-one");
  const members = new Set(shown.flatMap(([, group]) => group.variables ?? []));
  return [...shown.map(([id]) => id), ...Array.from(variables).filter((name) => !members.has(name))];
}

function scopesOf({ scopes = {} }: ContractDocument, groups: Groups): ReadonlyMap<string, readonly string[]> {
  const membersOf = (id: string): readonly string[] => groups.get(id)?.variables ?? [id];
  return new Map(Object.entries(scopes).map(([name, ids]) => [name, [...new Set(ids.flatMap(membersOf))]]));
}
