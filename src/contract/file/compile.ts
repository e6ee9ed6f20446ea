/** From the contract file's shape to the Contract that the program works with; pure. */
import { unreachable } from "../../core/error.ts";
import type { ContractDocument, FormatEntry, GroupEntry, ProfileEntry, VariableEntry } from "../generated/document.ts";
import type {
  Alias,
  Condition,
  Contract,
  ContractSource,
  Declaration,
  GroupRule,
  Interval,
  Rule,
  Section,
  SectionLine,
  ValueFormat,
} from "../model.ts";

/**
 * Builds the contract of one profile. The document must have passed validation: names that rules and profiles
 * mention exist, profiles do not extend themselves. Linear in the size of the document.
 */
export function compileContract(
  document: ContractDocument,
  source: ContractSource,
  profile: string | undefined,
): Contract {
  const variables = new Map(Object.entries(document.variables));
  const groups = new Map(Object.entries(document.groups ?? {}));
  if (profile !== undefined) {
    const profiles = new Map(Object.entries(document.profiles ?? {}));
    for (const entry of lineage(profiles, profile)) {
      for (const [name, overlay] of Object.entries(entry.variables ?? {})) {
        variables.set(name, { ...variables.get(name), ...overlay });
      }
      for (const [group, overlay] of Object.entries(entry.groups ?? {})) {
        const base = groups.get(group) ?? { rule: "optional", variables: [] };
        groups.set(group, { ...base, ...overlay });
      }
    }
  }
  const declarations = new Map<string, Declaration>();
  const aliases = new Map<string, string>();
  const deprecated = new Map<string, string>();
  const defaults: string[] = [];
  for (const [name, entry] of variables) {
    const declaration = declare(name, entry);
    declarations.set(name, declaration);
    if (declaration.default !== undefined) defaults.push(name);
    if (declaration.deprecated !== undefined) deprecated.set(name, declaration.deprecated);
    for (const alias of declaration.aliases) {
      aliases.set(alias.name, name);
      if (alias.deprecated) deprecated.set(alias.name, name);
    }
  }
  const groupRules = new Map<string, GroupRule>();
  for (const [group, entry] of groups) {
    const { rule } = entry;
    if (rule !== "optional") groupRules.set(group, groupRule(group, rule, entry));
  }
  return {
    source,
    variables: declarations,
    aliases,
    deprecated,
    defaults,
    rules: rulesOf(variables, groupRules),
    sections: sectionsOf(document, declarations, groupRules, groups),
    ...(profile === undefined ? {} : { profile }),
    profiles: Object.keys(document.profiles ?? {}),
  };
}

/** The profile with those it extends, the farthest first, so that each one overrides what stands before it. */
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

/** One text or several, as a list. */
export function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}

function declare(name: string, entry: VariableEntry): Declaration {
  const { example, docs, default: fallback, deprecated, format, rotateEvery } = entry;
  const declaration: Writable<Declaration> = {
    name,
    label: entry.label ?? name,
    description: entry.description ?? "",
    secret: isSecret(entry),
    aliases: entry.aliases?.map(aliasOf) ?? [],
  };
  // One by one: a contract may have thousands, and spreading optional parts into each costs more than all the rest.
  if (example !== undefined) declaration.example = example;
  if (docs !== undefined) declaration.docs = docs;
  if (fallback !== undefined) declaration.default = fallback;
  if (deprecated !== undefined) declaration.deprecated = deprecated;
  if (format !== undefined) declaration.format = formatOf(format);
  if (rotateEvery !== undefined) declaration.rotateEvery = intervalOf(rotateEvery);
  return declaration;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Unless the contract says it, a value is a secret, but one that stands in the contract: a default, one of a few. */
export function isSecret({ secret, default: fallback, format }: VariableEntry): boolean {
  const type = typeof format === "object" ? format.type : format;
  return secret ?? !(fallback !== undefined || type === "enum" || type === "boolean" || type === "port");
}

function aliasOf(alias: string | { readonly name: string; readonly deprecated?: boolean }): Alias {
  return typeof alias === "string"
    ? { name: alias, deprecated: false }
    : { name: alias.name, deprecated: alias.deprecated ?? false };
}

/** The format as the program knows it. */
export function formatOf(entry: FormatEntry): ValueFormat {
  const format = typeof entry === "string" ? { type: entry } : entry;
  switch (format.type) {
    case "text":
      return {
        kind: "text",
        prefixes: listOf(format.prefix),
        minLength: format.minLength ?? 0,
        ...(format.pattern === undefined ? {} : { pattern: format.pattern }),
      };
    case "url":
      return {
        kind: "url",
        schemes: ("schemes" in format ? (format.schemes ?? []) : []).map((scheme) => scheme.toLowerCase()),
      };
    case "integer":
    case "number":
      return {
        kind: format.type,
        ...("minimum" in format && format.minimum !== undefined ? { minimum: format.minimum } : {}),
        ...("maximum" in format && format.maximum !== undefined ? { maximum: format.maximum } : {}),
      };
    case "enum":
      return { kind: "enum", values: format.values };
    case "boolean":
    case "port":
    case "json":
    case "base64":
    case "email":
      return { kind: format.type };
    default:
      return unreachable(format);
  }
}

const units = ["day", "week", "month", "year"] as const;

function intervalOf(text: string): Interval {
  const [count, word] = text.split(" ");
  return { count: Number(count), unit: units.find((unit) => word?.startsWith(unit) === true) ?? "day" };
}

function groupRule(group: string, kind: GroupRule["kind"], entry: GroupEntry): GroupRule {
  return { kind, group, label: entry.label ?? group, names: entry.variables };
}

function rulesOf(
  variables: ReadonlyMap<string, VariableEntry>,
  groups: ReadonlyMap<string, GroupRule>,
): readonly Rule[] {
  const grouped = new Set([...groups.values()].flatMap((group) => group.names));
  const rules: Rule[] = [];
  for (const [name, { required }] of variables) {
    if (required === true) rules.push({ kind: "required", name });
    else if (required !== undefined && required !== false) {
      rules.push({ kind: "required-when", name, when: conditionOf(required) });
    } else if (!grouped.has(name)) rules.push({ kind: "optional", name });
  }
  return [...rules, ...groups.values()];
}

function conditionOf(required: { readonly when: string; readonly equals?: string | readonly string[] }): Condition {
  return { name: required.when, ...(required.equals === undefined ? {} : { equals: listOf(required.equals) }) };
}

function sectionsOf(
  document: ContractDocument,
  variables: ReadonlyMap<string, Declaration>,
  rules: ReadonlyMap<string, GroupRule>,
  groups: ReadonlyMap<string, GroupEntry>,
): readonly Section[] {
  if (document.sections !== undefined) {
    return document.sections.map(({ title, lines }) => ({
      title,
      lines: lines.flatMap((id): readonly SectionLine[] => {
        const declaration = variables.get(id);
        if (declaration !== undefined) return [variableLine(declaration)];
        const group = groups.get(id);
        if (group === undefined) return [];
        return [{ kind: "group", group: id, label: group.label ?? id, names: group.variables }];
      }),
    }));
  }
  const lines: SectionLine[] = [];
  const shown = new Set<string>();
  for (const { kind, group, label, names } of rules.values()) {
    if (kind !== "one-of" && kind !== "exactly-one") continue;
    lines.push({ kind: "group", group, label, names });
    for (const name of names) shown.add(name);
  }
  for (const declaration of variables.values()) {
    if (!shown.has(declaration.name)) lines.push(variableLine(declaration));
  }
  return lines.length === 0 ? [] : [{ title: "Contract", lines }];
}

function variableLine({ name, label }: Declaration): SectionLine {
  return { kind: "variable", name, label };
}
