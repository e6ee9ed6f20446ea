/**
 * Translates a contract to a schema of `environmentVariables` of an ESC environment, so that ESC itself refuses a value
 * that the contract does not allow (`sophia-run enforce`); pure.
 *
 *     contract   { "variables": { "PORT": { "required": true, "format": "port" } } }
 *     schema     { type: object, required: [PORT], properties: { PORT: { anyOf: [ … ] } } }
 *
 * The schema has `properties` and `required` for single variables. Rules over several variables, or over a variable with
 * aliases, are a list of schemas (`#rules`), of which each must hold for the whole object.
 */
import type { Condition, Contract, Declaration, GroupRule, Rule } from "../contract-model.ts";
import { namesOfDeclaration } from "../check-contract.ts";
import { CLOSED_FORMATS } from "../placeholder.ts";
import type { EscSchema } from "./esc-schema.ts";
import { BLANK_VALUES, EMPTY_VALUES, INVISIBLE_TEXT, SET_VALUES, valueSchema } from "./value-schema.ts";

export interface ContractSchema {
  readonly schema: EscSchema;
  /** The rules that the schema cannot express, so that only a start checks them, with the variables or groups concerned. */
  readonly gaps: ReadonlyMap<string, readonly string[]>;
}

export interface Enforcement {
  /** Returns false for a variable that is not enforced (`--only`, `--except`). */
  readonly isEnforced: (name: string) => boolean;
  /** The variables that `values.files` of the environment supplies. The schema does not see their values. */
  readonly files: ReadonlySet<string>;
  /** The title of the schema: the name of the contract for people. */
  readonly title: string;
  /** The result of {@link describeWriter}. */
  readonly description: string;
}

/** The globs that select the variables to enforce. If both lists are empty, all variables are enforced. */
export interface Selection {
  readonly only: readonly string[];
  readonly except: readonly string[];
}

/** The characters of names of variables, and the wildcards. None needs an escape within the quotes of {@link describeWriter}. */
const EFFECTIVE_GLOB = /^[\w*?.-]+$/;
const DESCRIPTION =
  /^Written by "sophia-run enforce(?: --only '([\w*?,.-]+)')?(?: --except '([\w*?,.-]+)')?"\. Change the contract and run it again\.$/;

/**
 * Describes who wrote a schema, for people and for the next `enforce`, which reads the selection from it:
 *
 *     Written by "sophia-run enforce --only 'DB_*'". Change the contract and run it again.
 */
export function describeWriter({ only, except }: Selection): string {
  const options = [...describeOption("--only", only), ...describeOption("--except", except)].join("");
  return `Written by "sophia-run enforce${options}". Change the contract and run it again.`;
}

/** Returns false for an empty glob, and for one with a character that no name of a variable has. */
export function canMatchVariable(glob: string): boolean {
  return EFFECTIVE_GLOB.test(glob);
}

function describeOption(option: string, globs: readonly string[]): readonly string[] {
  const effectiveGlobs = globs.filter(canMatchVariable);
  return effectiveGlobs.length > 0 ? [` ${option} '${effectiveGlobs.join(",")}'`] : [];
}

/** Parses a description that {@link describeWriter} has made. @returns undefined for any other text */
export function selectionIn(description: string): Selection | undefined {
  const match = DESCRIPTION.exec(description);
  if (match === null) return undefined;
  const [, only, except] = match;
  return { only: only?.split(",") ?? [], except: except?.split(",") ?? [] };
}

/** References to the schemas of {@link SHARED_DEFINITIONS}. */
const IS_SET: EscSchema = { $ref: "#/$defs/set" };
const IS_EMPTY: EscSchema = { $ref: "#/$defs/empty" };
const IS_BLANK: EscSchema = { $ref: "#/$defs/blank" };

/** The definitions that many schemas use, each with the reference to it and the alternatives in it. */
const SHARED_DEFINITIONS = [
  ["set", IS_SET, SET_VALUES],
  ["empty", IS_EMPTY, EMPTY_VALUES],
  ["blank", IS_BLANK, BLANK_VALUES],
] as const;

/**
 * Returns the schema of a contract. Each environment meets the schema if its values meet the contract without other
 * sources, such as the caller's environment and `.env` files. The schema is never stricter than the contract; `gaps` says
 * where it is less strict.
 */
export function contractSchema(contract: Contract, enforcement: Enforcement): ContractSchema {
  return new ContractTranslator(contract, enforcement).translate();
}

/** Requirements on a part of the object, which `objectSchema` joins to a schema. */
interface ObjectPart {
  /** The names that the object must have. */
  readonly required: readonly string[];
  /** The schemas of values, by name. */
  readonly properties: Readonly<Record<string, EscSchema>>;
  /** The names of `$defs` that must hold as well. */
  readonly definitions: readonly string[];
}

/** Translates one contract. */
class ContractTranslator {
  readonly #contract: Contract;
  readonly #enforcement: Enforcement;
  readonly #gaps = new Map<string, string[]>();
  readonly #properties: Record<string, EscSchema> = {};
  readonly #required: string[] = [];
  readonly #definitions: Record<string, EscSchema> = {};
  /** Each of these schemas must hold for the whole object. */
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
    const withAnyText = declarations.filter(({ format }) => format === undefined || !CLOSED_FORMATS.has(format.kind));
    this.#reportGap("placeholders such as <value>, and references to other stores", withAnyText);
    return { schema: this.#wholeSchema(), gaps: this.#gaps };
  }

  #wholeSchema(): EscSchema {
    const definitions = { ...this.#definitions };
    const [first, ...others] = this.#rules;
    // ESC has no `allOf`. So the rules are a chain: the schema refers to rule-2, which refers to rule-3, and so on.
    others.forEach((rule, index) => {
      const number = index + 2;
      const isLast = index === others.length - 1;
      definitions[`rule-${number}`] = isLast ? rule : { ...rule, $ref: `#/$defs/rule-${number + 1}` };
    });
    const textOfSchemas = JSON.stringify([definitions, first, this.#properties]);
    for (const [name, reference, values] of SHARED_DEFINITIONS) {
      if (textOfSchemas.includes(JSON.stringify(reference))) definitions[name] = anyOf(values);
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

  /** Records something that only a start checks, with the variables or groups concerned. */
  #reportGap(gap: string, concerned: readonly Pick<Declaration, "name">[]): void {
    if (concerned.length === 0) return;
    const names = [...(this.#gaps.get(gap) ?? []), ...concerned.map(({ name }) => name)];
    this.#gaps.set(gap, Array.from(new Set(names)));
  }

  /**
   * Returns true for a variable that the program gets even if `environmentVariables` does not have it: from a default or a
   * file.
   */
  #isSuppliedElsewhere(declaration: Declaration): boolean {
    return declaration.default !== undefined || this.#isFromFile(declaration);
  }

  #isFromFile(declaration: Declaration): boolean {
    return namesOfDeclaration(declaration).some((name) => this.#enforcement.files.has(name));
  }

  #translateDeclaration(declaration: Declaration, isRequired: boolean): void {
    // A file has precedence over a variable of the same name, and the schema does not see the content of the file.
    if (this.#isFromFile(declaration)) return this.#reportGap("variables of values.files", [declaration]);
    const mustBeSet = isRequired && !this.#isSuppliedElsewhere(declaration);
    if (declaration.format === undefined && !mustBeSet) return;
    const { alternatives, gaps } = valueSchema(declaration, mustBeSet);
    for (const gap of gaps) this.#reportGap(gap, [declaration]);
    const names = namesOfDeclaration(declaration);
    if (names.length === 1) {
      this.#properties[declaration.name] = anyOf(mustBeSet ? alternatives : [...alternatives, IS_EMPTY]);
      if (mustBeSet) this.#required.push(declaration.name);
      return;
    }
    const validWays = this.#waysToHave(declaration, anyOf(alternatives));
    const description = `${names.join(" or ")}: the one that gives the value is valid`;
    const ways = mustBeSet ? validWays : [...validWays, objectSchema([allAre(IS_EMPTY, names)])];
    this.#rules.push({ description, anyOf: ways });
  }

  /**
   * Returns the ways in which a variable with aliases can have a value of this schema. The value is that of the variable's
   * name, unless that is empty; then it is the value of an alias. Of several aliases the first one in the order of the
   * environment is used. A schema cannot know this order, and so allows any alias.
   */
  #waysToHave(declaration: Declaration, schema: EscSchema): readonly EscSchema[] {
    const [name = "", ...aliases] = namesOfDeclaration(declaration);
    if (aliases.length > 1) this.#reportGap("which of several aliases counts", [declaration]);
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
    // A member that is not enforced may have a value from elsewhere, so that the schema cannot decide.
    if (!rule.names.every(isEnforced)) {
      return this.#reportGap("groups of which only a part is enforced", [{ name: rule.label }]);
    }
    const ways = this.#waysToMeetGroup(rule.kind, members);
    if (ways !== undefined) this.#rules.push({ description: rule.label, anyOf: ways });
  }

  /** Returns the ways to meet the rule of a group. @returns undefined if the rule is always met */
  #waysToMeetGroup(kind: GroupRule["kind"], members: readonly Declaration[]): readonly EscSchema[] | undefined {
    const noneIsSet = objectSchema(members.map((member) => this.#isUnset(member)));
    switch (kind) {
      case "one-of":
      case "at-least-one":
        if (members.some((member) => this.#isSuppliedElsewhere(member))) return undefined;
        return members.map((member) => objectSchema([this.#isSet(member)]));
      case "exactly-one": {
        const file = members.find((member) => this.#isFromFile(member));
        const candidates = file === undefined ? members : [file];
        const ways = candidates.map((chosen) =>
          objectSchema(members.map((member) => (member === chosen ? this.#isSet(member) : this.#isUnset(member)))),
        );
        return members.some((member) => this.#isSuppliedElsewhere(member)) ? [...ways, noneIsSet] : ways;
      }
      case "all-or-none": {
        const needed = members.filter((member) => !this.#isSuppliedElsewhere(member));
        const allAreSet = objectSchema(needed.map((member) => this.#isSet(member)));
        return members.some((member) => this.#isFromFile(member)) ? [allAreSet] : [allAreSet, noneIsSet];
      }
    }
  }

  #translateCondition(name: string, when: Condition): void {
    const { isEnforced } = this.#enforcement;
    const declaration = this.#contract.variables.get(name);
    const condition = this.#contract.variables.get(when.name);
    if (declaration === undefined || condition === undefined || this.#isSuppliedElsewhere(declaration)) return;
    if (!isEnforced(name) || !isEnforced(when.name)) return;
    const unmetWays = this.#isFromFile(condition) ? undefined : this.#waysNotToMeet(condition, when.equals);
    if (unmetWays === undefined) return this.#reportGap("conditions", [declaration]);
    this.#rules.push({
      description: `${name} is required by ${when.name}`,
      anyOf: [objectSchema([this.#isSet(declaration)]), ...unmetWays],
    });
  }

  /** Returns the ways in which a condition is not met. @returns undefined if a schema cannot say so */
  #waysNotToMeet(condition: Declaration, equals: readonly string[] | undefined): readonly EscSchema[] | undefined {
    const { format, default: fallback } = condition;
    const names = namesOfDeclaration(condition);
    // If the environment has no value, the default decides.
    const isMetByDefault = fallback !== undefined && (equals === undefined || equals.includes(fallback));
    if (isMetByDefault && equals === undefined) return [];
    const withoutValue = isMetByDefault ? [] : [objectSchema([allAre(IS_EMPTY, names)])];
    if (equals === undefined) return withoutValue;
    // ESC has no `not`: only the values of an `enum` can be listed without those of the condition.
    if (format?.kind !== "enum") return undefined;
    const otherValues = format.values.filter((value) => !equals.includes(value));
    if (otherValues.length === 0) return withoutValue;
    const hasOtherValue = anyOf(valueSchema({ format: { kind: "enum", values: otherValues } }, true).alternatives);
    return [...withoutValue, ...this.#waysToHave(condition, hasOtherValue)];
  }

  /** Returns the part that requires a value with a visible character. */
  #isSet(declaration: Declaration): ObjectPart {
    const { name, aliases } = declaration;
    if (this.#isFromFile(declaration)) return NO_REQUIREMENT;
    if (aliases.length === 0) return { required: [name], properties: { [name]: IS_SET }, definitions: [] };
    return this.#define(`${name}-is-set`, () => this.#waysToHave(declaration, IS_SET));
  }

  /** Returns the part that allows no value, or only one without a visible character. */
  #isUnset(declaration: Declaration): ObjectPart {
    if (this.#isFromFile(declaration)) return NO_REQUIREMENT;
    const names = namesOfDeclaration(declaration);
    if (names.length === 1) return allAre(IS_BLANK, names);
    return this.#define(`${declaration.name}-is-unset`, () => [
      objectSchema([allAre(IS_BLANK, names)]),
      ...this.#waysToHave(declaration, INVISIBLE_TEXT),
    ]);
  }

  /** Returns the part that refers to a definition. Adds the definition if it is not there yet. */
  #define(definition: string, createWays: () => readonly EscSchema[]): ObjectPart {
    this.#definitions[definition] ??= { anyOf: createWays() };
    return { ...NO_REQUIREMENT, definitions: [definition] };
  }
}

const NO_REQUIREMENT: ObjectPart = { required: [], properties: {}, definitions: [] };

/** Returns the part that requires a schema of the values with these names. The object need not have the names. */
function allAre(schema: EscSchema, names: readonly string[]): ObjectPart {
  return { ...NO_REQUIREMENT, properties: Object.fromEntries(names.map((name) => [name, schema])) };
}

/** Returns the schema of the objects that meet all parts. */
function objectSchema(parts: readonly ObjectPart[]): EscSchema {
  const required = parts.flatMap((part) => part.required);
  const properties = Object.fromEntries(parts.flatMap((part) => Object.entries(part.properties)));
  const schema: EscSchema = {
    ...(required.length === 0 ? {} : { required }),
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
  };
  // ESC has no `allOf`. So the definitions enclose the schema: a `$ref` and an `anyOf` of one schema must both hold.
  const definitions = parts.flatMap((part) => part.definitions);
  return definitions.reduceRight<EscSchema>((inner, name) => {
    const innerPart = Object.keys(inner).length === 0 ? {} : { anyOf: [inner] };
    return { $ref: `#/$defs/${name}`, ...innerPart };
  }, schema);
}

function anyOf(alternatives: readonly EscSchema[]): EscSchema {
  const [only, ...others] = alternatives;
  return others.length === 0 && only !== undefined ? only : { anyOf: alternatives };
}
