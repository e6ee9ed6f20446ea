/** The contract as a schema of the values `environmentVariables` of an ESC environment. Pure. */
import type { Condition, Contract, Declaration, GroupRule, Rule } from "../contract-model.ts";
import { namesOfDeclaration } from "../check-contract.ts";
import { CLOSED_FORMATS } from "../placeholder.ts";
import type { EscSchema } from "./esc-schema.ts";
import { BLANK, EMPTY, INVISIBLE_TEXT, SET, valueSchema } from "./value-schema.ts";

export interface ContractSchema {
  readonly schema: EscSchema;
  /** The rules that only a start checks, with the variables or groups that it is about. */
  readonly gaps: ReadonlyMap<string, readonly string[]>;
}

export interface Enforcement {
  /** Returns false for a variable that is not enforced (`--only`, `--except`). */
  readonly isEnforced: (name: string) => boolean;
  /** Variables that `values.files` of the environment supplies: the schema does not see them. */
  readonly files: ReadonlySet<string>;
  /** The title of the schema: the contract's name for readers. */
  readonly title: string;
  /** The result of {@link describeWriter}. */
  readonly description: string;
}

/** Globs of the variables that are enforced; with none, all are. */
export interface Selection {
  readonly only: readonly string[];
  readonly except: readonly string[];
}

/** Characters that need no escape between single quotes of a shell, nor between double quotes of the description. */
const PLAIN_GLOBS = /^[\w*?,.-]+$/;
const DESCRIPTION =
  /^Written by "sophia-run enforce(?: --only '([\w*?,.-]+)')?(?: --except '([\w*?,.-]+)')?"\. Change the contract and run it again\.$/;

/** Words who wrote a schema, for its readers and the next `enforce`: with the options that limit what it checks. */
export function describeWriter({ only, except }: Selection): string {
  const options = [...optionWords("--only", only), ...optionWords("--except", except)].join("");
  return `Written by "sophia-run enforce${options}". Change the contract and run it again.`;
}

function optionWords(option: string, globs: readonly string[]): readonly string[] {
  const text = globs.join(",");
  return PLAIN_GLOBS.test(text) ? [` ${option} '${text}'`] : [];
}

/** Reads a description that {@link describeWriter} has made. @returns undefined for any other */
export function selectionIn(description: string): Selection | undefined {
  const match = DESCRIPTION.exec(description);
  if (match === null) return undefined;
  const [, only, except] = match;
  return { only: only?.split(",") ?? [], except: except?.split(",") ?? [] };
}
const IS_SET: EscSchema = { $ref: "#/$defs/set" };
const IS_EMPTY: EscSchema = { $ref: "#/$defs/empty" };
const IS_BLANK: EscSchema = { $ref: "#/$defs/blank" };

const SHARED = [
  ["set", IS_SET, SET],
  ["empty", IS_EMPTY, EMPTY],
  ["blank", IS_BLANK, BLANK],
] as const;

/**
 * Returns the schema that each environment meets whose values meet the contract by themselves. It is never stricter than the
 * contract; where it is looser, `gaps` says so. The caller's environment and `.env` files are not considered.
 */
export function contractSchema(contract: Contract, enforcement: Enforcement): ContractSchema {
  return new Translator(contract, enforcement).translate();
}

/** The requirements on a part of the object: names with a value, and schemas of values. */
interface ObjectPart {
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, EscSchema>>;
  /** Names of `$defs` that hold as well. */
  readonly definitions: readonly string[];
}

class Translator {
  readonly #contract: Contract;
  readonly #enforcement: Enforcement;
  readonly #gaps = new Map<string, string[]>();
  readonly #properties: Record<string, EscSchema> = {};
  readonly #required: string[] = [];
  readonly #definitions: Record<string, EscSchema> = {};
  /** Each holds for the whole object. */
  readonly #rules: EscSchema[] = [];

  constructor(contract: Contract, enforcement: Enforcement) {
    this.#contract = contract;
    this.#enforcement = enforcement;
  }

  translate(): ContractSchema {
    const { variables, rules } = this.#contract;
    const required = new Set(rules.flatMap((rule) => (rule.kind === "required" ? [rule.name] : [])));
    const declarations = Array.from(variables.values()).filter(({ name }) => this.#enforcement.isEnforced(name));
    for (const declaration of declarations) this.#translateDeclaration(declaration, required.has(declaration.name));
    for (const rule of rules) this.#translateRule(rule);
    const open = declarations.filter(({ format }) => format === undefined || !CLOSED_FORMATS.has(format.kind));
    this.#report("placeholders such as <value>, and references to other stores", open);
    return { schema: this.#whole(), gaps: this.#gaps };
  }

  #whole(): EscSchema {
    const definitions = { ...this.#definitions };
    const [first, ...others] = this.#rules;
    // There is no `allOf`: each rule refers to the next one.
    others.forEach((rule, index) => {
      const next = index + 1 < others.length ? { $ref: `#/$defs/rule-${index + 3}` } : {};
      definitions[`rule-${index + 2}`] = { ...rule, ...next };
    });
    const used = JSON.stringify([definitions, first, this.#properties]);
    for (const [name, reference, values] of SHARED) {
      if (used.includes(JSON.stringify(reference))) definitions[name] = anyOf(values);
    }
    return {
      title: this.#enforcement.title,
      description: this.#enforcement.description,
      type: "object",
      properties: this.#properties,
      ...(this.#required.length === 0 ? {} : { required: this.#required }),
      ...(first === undefined ? {} : { anyOf: [first] }),
      ...(others.length === 0 ? {} : { $ref: "#/$defs/rule-2" }),
      ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }),
    };
  }

  /** Records what only a start checks. */
  #report(gap: string, about: readonly Pick<Declaration, "name">[]): void {
    if (about.length === 0) return;
    const names = [...(this.#gaps.get(gap) ?? []), ...about.map(({ name }) => name)];
    this.#gaps.set(gap, Array.from(new Set(names)));
  }

  /** Returns true for a variable that has a value although the environment's variables have none. */
  #isSupplied(declaration: Declaration): boolean {
    return declaration.default !== undefined || this.#isFile(declaration);
  }

  #isFile(declaration: Declaration): boolean {
    return namesOfDeclaration(declaration).some((name) => this.#enforcement.files.has(name));
  }

  #translateDeclaration(declaration: Declaration, isRequired: boolean): void {
    // A file wins over a variable of its name, and the schema does not see its content.
    if (this.#isFile(declaration)) return this.#report("variables of values.files", [declaration]);
    const mustBeSet = isRequired && !this.#isSupplied(declaration);
    if (declaration.format === undefined && !mustBeSet) return;
    const { alternatives, gaps } = valueSchema(declaration, mustBeSet);
    for (const gap of gaps) this.#report(gap, [declaration]);
    const names = namesOfDeclaration(declaration);
    if (names.length === 1) {
      this.#properties[declaration.name] = anyOf(mustBeSet ? alternatives : [...alternatives, IS_EMPTY]);
      if (mustBeSet) this.#required.push(declaration.name);
      return;
    }
    const valid = this.#given(declaration, anyOf(alternatives));
    const description = `${names.join(" or ")}: the one that gives the value is valid`;
    this.#rules.push({
      description,
      anyOf: mustBeSet ? valid : [...valid, objectSchema([allAre(IS_EMPTY, names)])],
    });
  }

  /**
   * Returns the ways in which a variable with aliases has a value of this schema. Its own name gives the value unless it is empty;
   * of several aliases the first one in the environment does, which a schema does not know: then any may.
   */
  #given(declaration: Declaration, schema: EscSchema): readonly EscSchema[] {
    const [name = "", ...aliases] = namesOfDeclaration(declaration);
    if (aliases.length > 1) this.#report("which of several aliases counts", [declaration]);
    return [
      { required: [name], properties: { [name]: schema } },
      ...aliases.map((alias) => ({ required: [alias], properties: { [name]: IS_EMPTY, [alias]: schema } })),
    ];
  }

  #translateRule(rule: Rule): void {
    if (rule.kind === "required-when") this.#translateCondition(rule.name, rule.when);
    else if ("names" in rule) this.#translateGroup(rule);
  }

  #translateGroup(rule: GroupRule): void {
    const { isEnforced } = this.#enforcement;
    const members = rule.names.flatMap((name) => this.#contract.variables.get(name) ?? []);
    if (!rule.names.some(isEnforced)) return;
    // A part of a group says nothing about the whole.
    if (!rule.names.every(isEnforced))
      return this.#report("groups of which only a part is enforced", [{ name: rule.label }]);
    const alternatives = this.#alternativesOf(rule.kind, members);
    if (alternatives !== undefined) this.#rules.push({ description: rule.label, anyOf: alternatives });
  }

  /** Returns the ways in which a group is complete. @returns undefined if it always is */
  #alternativesOf(kind: GroupRule["kind"], members: readonly Declaration[]): readonly EscSchema[] | undefined {
    const none = objectSchema(members.map((member) => this.#unset(member)));
    switch (kind) {
      case "one-of":
      case "at-least-one":
        if (members.some((member) => this.#isSupplied(member))) return undefined;
        return members.map((member) => objectSchema([this.#set(member)]));
      case "exactly-one": {
        const file = members.find((member) => this.#isFile(member));
        const chosen = file === undefined ? members : [file];
        const ways = chosen.map((one) =>
          objectSchema(members.map((member) => (member === one ? this.#set(member) : this.#unset(member)))),
        );
        return members.some((member) => this.#isSupplied(member)) ? [...ways, none] : ways;
      }
      case "all-or-none": {
        const needed = members.filter((member) => !this.#isSupplied(member));
        const every = objectSchema(needed.map((member) => this.#set(member)));
        return members.some((member) => this.#isFile(member)) ? [every] : [every, none];
      }
    }
  }

  #translateCondition(name: string, when: Condition): void {
    const { isEnforced } = this.#enforcement;
    const declaration = this.#contract.variables.get(name);
    const condition = this.#contract.variables.get(when.name);
    if (declaration === undefined || condition === undefined || this.#isSupplied(declaration)) return;
    if (!isEnforced(name) || !isEnforced(when.name)) return;
    const unmet = this.#isFile(condition) ? undefined : this.#unmet(condition, when.equals);
    if (unmet === undefined) return this.#report("conditions", [declaration]);
    this.#rules.push({
      description: `${name} is required by ${when.name}`,
      anyOf: [objectSchema([this.#set(declaration)]), ...unmet],
    });
  }

  /** Returns the ways in which a condition is not met. @returns undefined if a schema cannot say so */
  #unmet(condition: Declaration, equals: readonly string[] | undefined): readonly EscSchema[] | undefined {
    const { format, default: fallback } = condition;
    const names = namesOfDeclaration(condition);
    // Without a value the default decides.
    const isMetByDefault = fallback !== undefined && (equals === undefined || equals.includes(fallback));
    if (isMetByDefault && equals === undefined) return [];
    const absent = isMetByDefault ? [] : [objectSchema([allAre(IS_EMPTY, names)])];
    if (equals === undefined) return absent;
    if (format?.kind !== "enum") return undefined;
    const others = format.values.filter((value) => !equals.includes(value));
    const different = anyOf(valueSchema({ format: { kind: "enum", values: others } }, true).alternatives);
    if (others.length === 0) return absent;
    return [...absent, ...this.#given(condition, different)];
  }

  /** The variable has a value that counts. */
  #set(declaration: Declaration): ObjectPart {
    const { name, aliases } = declaration;
    if (this.#isFile(declaration)) return NOTHING;
    if (aliases.length === 0) return { required: [name], properties: { [name]: IS_SET }, definitions: [] };
    return this.#define(`${name}-is-set`, () => this.#given(declaration, IS_SET));
  }

  /** The variable has no value, or one that does not count. */
  #unset(declaration: Declaration): ObjectPart {
    if (this.#isFile(declaration)) return NOTHING;
    const names = namesOfDeclaration(declaration);
    if (names.length === 1) return allAre(IS_BLANK, names);
    return this.#define(`${declaration.name}-is-unset`, () => [
      objectSchema([allAre(IS_BLANK, names)]),
      ...this.#given(declaration, INVISIBLE_TEXT),
    ]);
  }

  /** Returns the part that refers to a definition, which it makes at the first call. */
  #define(definition: string, ways: () => readonly EscSchema[]): ObjectPart {
    this.#definitions[definition] ??= { anyOf: ways() };
    return { ...NOTHING, definitions: [definition] };
  }
}

const NOTHING: ObjectPart = { required: [], properties: {}, definitions: [] };

/** Returns the part of an object whose values of these names meet a schema, if it has them. */
function allAre(schema: EscSchema, names: readonly string[]): ObjectPart {
  return { ...NOTHING, properties: Object.fromEntries(names.map((name) => [name, schema])) };
}

/** Returns the schema of the objects for which all parts hold. */
function objectSchema(parts: readonly ObjectPart[]): EscSchema {
  const required = parts.flatMap((part) => part.required);
  const properties = Object.fromEntries(parts.flatMap((part) => Object.entries(part.properties)));
  const schema: EscSchema = {
    ...(required.length === 0 ? {} : { required }),
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
  };
  // There is no `allOf`: an `anyOf` of one schema beside others means both.
  return parts
    .flatMap((part) => part.definitions)
    .reduceRight<EscSchema>(
      (inner, name) => ({ $ref: `#/$defs/${name}`, ...(Object.keys(inner).length === 0 ? {} : { anyOf: [inner] }) }),
      schema,
    );
}

function anyOf(alternatives: readonly EscSchema[]): EscSchema {
  const [only, ...others] = alternatives;
  return others.length === 0 && only !== undefined ? only : { anyOf: alternatives };
}
