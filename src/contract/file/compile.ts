/**
 * Turns the parsed JSON of a contract file into a {@link Contract}, which the rest of sophia-run reads. Each start does
 * this, after the file was validated (load-file.ts) and merged with the files that it extends (merge.ts).
 *
 * A contract may have profiles, such as `production`. The result is for one of them: its entries replace entries of the
 * contract, and a profile may itself extend others.
 */
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
 * Compiles a valid document for one profile. The time is linear in the size of the document.
 *
 * @param profile undefined to use only what is outside of profiles
 * @param environment the ESC environments that the document names for this profile, if any
 */
export function compileContract(
  document: ContractDocument,
  source: ContractSource,
  profile: string | undefined,
  environment?: ContractEnvironment,
): Contract {
  const profiles = profilesOf(document);
  const lineage = profile === undefined ? [] : collectLineage(profiles, profile);
  const { variables, groups } = mergeEntries(document, lineage);
  const compiled = compileVariables(variables);
  const groupRules = compileGroups(groups);
  // The selected profile is the last one of its lineage, so that its member replaces that of any base.
  const override = lineage.findLast((entry) => entry.override !== undefined)?.override;
  let sections: readonly Section[] | undefined;
  return {
    source,
    ...(document.name === undefined ? {} : { name: printable(document.name) }),
    variables: compiled.declarations,
    aliases: compiled.aliases,
    deprecated: compiled.deprecated,
    rules: [...createVariableRules(variables, groupRules), ...groupRules],
    // Computed at the first use: only reports such as `sophia-run check` need sections.
    get sections() {
      return (sections ??= compileSections(document, compiled.declarations, groups));
    },
    ...(environment === undefined ? {} : { environment }),
    ...(profile === undefined ? {} : { profile }),
    ...(override === undefined ? {} : { override }),
    ...(document.rotateEvery === undefined ? {} : { rotateEvery: parseInterval(document.rotateEvery) }),
    ...(document.refresh === undefined ? {} : { refresh: document.refresh }),
    ...(document.awsRefresh === undefined ? {} : { awsRefresh: document.awsRefresh }),
    profiles: [...profiles.keys()],
    scopes: compileScopes(document, groups),
  };
}

/**
 * Returns the profiles by name. A Map is safe for any name: an object would also have inherited ones, such as
 * `constructor`.
 */
export function profilesOf({ profiles = {} }: ContractDocument): ReadonlyMap<string, ProfileEntry> {
  return new Map(Object.entries(profiles));
}

/**
 * Returns the lineage of a profile: the profile itself and all profiles that it extends, directly or not. They are in
 * the order in which they are merged, so that each profile comes after its bases.
 */
export function collectLineage(profiles: ReadonlyMap<string, ProfileEntry>, profile: string): readonly ProfileEntry[] {
  return collectLineageNames(profiles, profile).flatMap((name) => profiles.get(name) ?? []);
}

/**
 * Returns the names of {@link collectLineage}. It is a loop, since recursion would overflow the stack on a long chain of
 * profiles.
 */
export function collectLineageNames(profiles: ReadonlyMap<string, ProfileEntry>, profile: string): readonly string[] {
  const visited = new Set<string>();
  const names: string[] = [];
  /** A stack of steps: `visit` a profile, or `add` it to the result, for which its bases lie above it on the stack. */
  const steps: { readonly action: "visit" | "add"; readonly name: string }[] = [{ action: "visit", name: profile }];
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    const { action, name } = step;
    if (action === "add") names.push(name);
    else if (!visited.has(name)) {
      visited.add(name);
      const entry = profiles.get(name);
      if (entry === undefined) continue;
      steps.push({ action: "add", name });
      for (const base of toList(entry.extends).toReversed()) steps.push({ action: "visit", name: base });
    }
  }
  return names;
}

/** The part that a document and a profile have in common. */
type Entries = Pick<ProfileEntry, "variables" | "groups">;

/** A group of a profile may lack members, which it inherits. After a merge a group of a valid document is complete. */
type Groups = ReadonlyMap<string, Partial<GroupEntry>>;

interface MergedEntries {
  readonly variables: Map<string, VariableEntry>;
  readonly groups: Map<string, Partial<GroupEntry>>;
}

/**
 * Merges the variables and groups of a document with those of profiles. Of several values for one member the last wins.
 */
export function mergeEntries(document: Entries, profiles: readonly Entries[]): MergedEntries {
  const merged: MergedEntries = { variables: new Map(), groups: new Map() };
  for (const { variables = {}, groups = {} } of [document, ...profiles]) {
    mergeInto(merged.variables, variables);
    mergeInto<Partial<GroupEntry>>(merged.groups, groups);
  }
  return merged;
}

/**
 * Merges entries into a map. If the map has an entry of the same name, members of the added entry replace its members.
 */
export function mergeInto<Entry extends object>(entries: Map<string, Entry>, added: Readonly<Record<string, Entry>>) {
  // Object.entries would allocate an array for each of thousands of entries.
  Object.keys(added).forEach((name) => {
    const baseEntry = entries.get(name);
    const entry = added[name];
    if (entry !== undefined) entries.set(name, baseEntry === undefined ? entry : { ...baseEntry, ...entry });
  });
}

/** Returns the texts of a member that may be one text or a list of texts. */
export function toList(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

interface CompiledVariables {
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** The name of the variable, by alias. */
  readonly aliases: ReadonlyMap<string, string>;
  /** The name to use instead, by deprecated name or alias. */
  readonly deprecated: ReadonlyMap<string, string>;
}

function compileVariables(variables: ReadonlyMap<string, VariableEntry>): CompiledVariables {
  const declarations = new Map<string, Declaration>();
  const aliases = new Map<string, string>();
  const deprecated = new Map<string, string>();
  variables.forEach((entry, name) => {
    const declaration = compileDeclaration(name, entry);
    declarations.set(name, declaration);
    if (declaration.deprecated !== undefined) deprecated.set(name, declaration.deprecated);
    declaration.aliases.forEach((alias) => {
      aliases.set(alias.name, name);
      if (alias.deprecated) deprecated.set(alias.name, name);
    });
  });
  return { declarations, aliases, deprecated };
}

/**
 * Compiles one variable. This assigns members, since spreading is slower for hundreds of variables with few members.
 */
function compileDeclaration(name: string, entry: VariableEntry): Declaration {
  const { description = "", example, docs, aliases, deprecated, format, rotateEvery } = entry;
  const declaration: { -readonly [Key in keyof Declaration]: Declaration[Key] } = {
    name,
    label: printableLabel(entry, name),
    description,
    secret: isSecretEntry(entry),
    aliases: aliases === undefined ? NO_ALIASES : aliases.map(compileAlias),
  };
  if (example !== undefined) declaration.example = example;
  if (docs !== undefined) declaration.docs = docs;
  if (entry.reason !== undefined) declaration.reason = printable(entry.reason);
  if (entry.default !== undefined) declaration.default = entry.default;
  if (deprecated !== undefined) declaration.deprecated = deprecated;
  if (entry.as !== undefined) declaration.as = entry.as;
  if (format !== undefined) declaration.format = compileFormat(format);
  if (rotateEvery !== undefined) declaration.rotateEvery = parseInterval(rotateEvery);
  if (entry.probe !== undefined) declaration.probe = entry.probe;
  if (entry.broker !== undefined) declaration.broker = entry.broker;
  return declaration;
}

const NO_ALIASES: readonly Alias[] = [];

function compileAlias(alias: NonNullable<VariableEntry["aliases"]>[number]): Alias {
  return { deprecated: false, ...(typeof alias === "string" ? { name: alias } : alias) };
}

/**
 * Returns true if a variable is a secret. If its entry has no member `secret`, it is a secret unless anyone who reads
 * the contract can know or guess the value: because of a default, or a format with few values.
 */
export function isSecretEntry({ secret, default: fallback, format }: VariableEntry): boolean {
  const type = typeof format === "object" ? format.type : format;
  const hasFewValues = type === "enum" || type === "boolean" || type === "port";
  return secret ?? !(fallback !== undefined || hasFewValues);
}

/**
 * Compiles a format.
 *
 * @throws SyntaxError for an invalid pattern, which validateFormat in validate-variable.ts finds before
 */
export function compileFormat(entry: FormatEntry): ValueFormat {
  const format: Exclude<FormatEntry, string> = typeof entry === "string" ? { type: entry } : entry;
  switch (format.type) {
    case "text":
      return {
        kind: "text",
        prefixes: toList(format.prefix),
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
function parseInterval(text: string): Interval | "never" {
  if (text === "never") return text;
  const [count, unitWord = ""] = text.split(" ");
  // The word may be in the plural.
  return { count: Number(count), unit: UNITS.find((unit) => unitWord.startsWith(unit)) ?? "day" };
}

function compileGroups(groups: Groups): readonly GroupRule[] {
  const rules: GroupRule[] = [];
  groups.forEach((entry, group) => {
    const { rule: kind = "optional", variables: names = [] } = entry;
    // An optional group requires nothing. It only keeps variables together in sections and scopes.
    if (kind !== "optional") rules.push({ kind, group, label: printableLabel(entry, group), names });
  });
  return rules;
}

/** Returns a rule for each variable, except for optional variables of a group: the group's rule decides about them. */
function createVariableRules(variables: ReadonlyMap<string, VariableEntry>, groupRules: readonly GroupRule[]): Rule[] {
  const grouped = new Set(groupRules.flatMap(({ names }) => names));
  const rules: Rule[] = [];
  variables.forEach(({ required = false }, name) => {
    if (required === true) rules.push({ kind: "required", name });
    else if (required === false) {
      if (!grouped.has(name)) rules.push({ kind: "optional", name });
    } else {
      const { when, equals } = required;
      const condition = { name: when, ...(equals === undefined ? {} : { equals: toList(equals) }) };
      rules.push({ kind: "required-when", name, when: condition });
    }
  });
  return rules;
}

/**
 * Returns the sections in which reports show the contract: those of the document, or otherwise one of all variables.
 */
function compileSections(
  { sections }: ContractDocument,
  variables: ReadonlyMap<string, Declaration>,
  groups: Groups,
): readonly Section[] {
  /** @param ids names of variables and of groups. One that this profile does not declare has no line. */
  const linesOf = (ids: readonly string[]): readonly SectionLine[] =>
    ids.flatMap((id): readonly SectionLine[] => {
      const declaration = variables.get(id);
      if (declaration !== undefined) return [{ kind: "variable", name: id, label: declaration.label }];
      const group = groups.get(id);
      if (group === undefined) return [];
      return [{ kind: "group", group: id, label: printableLabel(group, id), names: group.variables ?? [] }];
    });
  if (sections !== undefined)
    return sections.map((section) => ({ title: printable(section.title), lines: linesOf(section.lines) }));
  const allLines = linesOf(listDefaultLines(variables.keys(), groups));
  return allLines.length === 0 ? [] : [{ title: "Contract", lines: allLines }];
}

/**
 * Returns the label of a variable or group, with control characters made visible. Without a label it is the name, in
 * which the schema allows no control characters.
 */
function printableLabel({ label }: Pick<VariableEntry, "label">, name: string): string {
  return label === undefined ? name : printable(label);
}

/**
 * Returns the names that the only section of a document without sections lists: first the groups of which one variable
 * is used, then the variables outside of such groups.
 */
export function listDefaultLines(variables: Iterable<string>, groups: Groups): readonly string[] {
  const choices = Array.from(groups).filter(([, { rule }]) => rule === "one-of" || rule === "exactly-one");
  const members = new Set(choices.flatMap(([, group]) => group.variables ?? []));
  return [...choices.map(([id]) => id), ...Array.from(variables).filter((name) => !members.has(name))];
}

/** Returns the variables of each scope. In the document a scope lists variables and groups. */
function compileScopes({ scopes = {} }: ContractDocument, groups: Groups): ReadonlyMap<string, readonly string[]> {
  const membersOf = (id: string): readonly string[] => groups.get(id)?.variables ?? [id];
  return new Map(Object.entries(scopes).map(([name, ids]) => [name, [...new Set(ids.flatMap(membersOf))]]));
}
