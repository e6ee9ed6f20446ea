/**
 * Translates a contract into a schema that `sophia-run enforce` writes into an environment of Pulumi ESC. ESC then
 * refuses values of `environmentVariables` that the contract does not allow.
 *
 *     contract   { "variables": { "PORT": { "required": true, "format": "port" } } }
 *     schema     { type: object, required: [PORT], properties: { PORT: { anyOf: [ … ] } } }
 *
 * A variable without aliases becomes a member of `properties`, and of `required` if it must be set. A rule over several
 * variables or names becomes a schema of the whole object (`#rules`), and all of these schemas must hold.
 */
import type { Condition, Contract, Declaration, GroupRule, Rule } from "../contract-model.ts";
import { namesOfDeclaration } from "../check-contract.ts";
import { FORMATS_WITHOUT_PLACEHOLDERS } from "../placeholder.ts";
import type { EscSchema } from "./esc-schema.ts";
import { BLANK_VALUES, EMPTY_VALUES, INVISIBLE_TEXT, SET_VALUES, createValueSchema } from "./value-schema.ts";

export interface ContractSchema {
  readonly schema: EscSchema;
  /**
   * The rules that the schema cannot express, by description, with the variables or groups concerned. Only a start
   * checks them.
   */
  readonly gaps: ReadonlyMap<string, readonly string[]>;
}

/** The facts about the ESC environment, and the options of `sophia-run enforce`, on which the schema depends. */
export interface EnforcementOptions {
  /** Returns false for a variable that is not enforced (`--only`, `--except`). */
  readonly isEnforced: (name: string) => boolean;
  /** The variables that `values.files` of the environment supplies. The schema does not see their values. */
  readonly variablesFromFiles: ReadonlySet<string>;
  /** The title of the schema: the name of the contract for people. */
  readonly title: string;
  /** The result of {@link describeSchemaWriter}. */
  readonly description: string;
}

/** The globs that select the variables to enforce. If both lists are empty, all variables are enforced. */
export interface EnforcedGlobs {
  readonly only: readonly string[];
  readonly except: readonly string[];
}

/**
 * Matches globs that can match the name of a variable. Their characters need no escape in the single quotes of a shell,
 * nor in the double quotes of the description.
 */
const EFFECTIVE_GLOB = /^[\w*?.-]+$/;
/** Matches the result of {@link describeSchemaWriter}. The groups are the lists of `--only` and `--except`. */
const WRITER_DESCRIPTION =
  /^Written by "sophia-run enforce(?: --only '([\w*?,.-]+)')?(?: --except '([\w*?,.-]+)')?"\. Change the contract and run it again\.$/;

/**
 * Describes who wrote a schema. Users read the description in ESC, and the next `sophia-run enforce` reads the
 * selection from it ({@link parseDescription}):
 *
 *     Written by "sophia-run enforce --only 'DB_*'". Change the contract and run it again.
 */
export function describeSchemaWriter({ only, except }: EnforcedGlobs): string {
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

/** Parses a description that {@link describeSchemaWriter} has made. @returns undefined for any other text */
export function parseDescription(description: string): EnforcedGlobs | undefined {
  const match = WRITER_DESCRIPTION.exec(description);
  if (match === null) return undefined;
  const [, only, except] = match;
  return { only: only?.split(",") ?? [], except: except?.split(",") ?? [] };
}

/** References to the schemas of {@link SHARED_DEFINITIONS}. */
const IS_SET: EscSchema = { $ref: "#/$defs/set" };
const IS_EMPTY: EscSchema = { $ref: "#/$defs/empty" };
const IS_BLANK: EscSchema = { $ref: "#/$defs/blank" };

/** The definitions that many schemas use. The value must meet one of the alternatives. */
const SHARED_DEFINITIONS = [
  { name: "set", reference: IS_SET, alternatives: SET_VALUES },
  { name: "empty", reference: IS_EMPTY, alternatives: EMPTY_VALUES },
  { name: "blank", reference: IS_BLANK, alternatives: BLANK_VALUES },
] as const;

/**
 * Returns the schema of a contract. It is for the values of ESC alone: variables of the process environment and of
 * `.env` files are ignored. The schema accepts all values that the contract accepts; `gaps` says what else it accepts.
 */
export function createContractSchema(contract: Contract, enforcement: EnforcementOptions): ContractSchema {
  return new ContractTranslator(contract, enforcement).translate();
}

/** Requirements on the object of all variables. {@link createObjectSchema} joins several of these to one schema. */
interface ObjectRequirement {
  /** The names that the object must have. */
  readonly required: readonly string[];
  /** The schemas of values, by name. */
  readonly properties: Readonly<Record<string, EscSchema>>;
  /** The names of `$defs` that must hold as well. */
  readonly definitions: readonly string[];
}

/** Translates one contract. `translate` is called once. */
class ContractTranslator {
  readonly #contract: Contract;
  readonly #enforcement: EnforcementOptions;
  readonly #gaps = new Map<string, string[]>();
  readonly #properties: Record<string, EscSchema> = {};
  readonly #required: string[] = [];
  readonly #definitions: Record<string, EscSchema> = {};
  /** Each of these schemas must hold for the whole object. */
  readonly #rules: EscSchema[] = [];

  constructor(contract: Contract, enforcement: EnforcementOptions) {
    this.#contract = contract;
    this.#enforcement = enforcement;
  }

  translate(): ContractSchema {
    const { variables, rules } = this.#contract;
    const requiredNames = new Set(rules.flatMap((rule) => (rule.kind === "required" ? [rule.name] : [])));
    const declarations = Array.from(variables.values()).filter(({ name }) => this.#enforcement.isEnforced(name));
    for (const declaration of declarations)
      this.#translateDeclaration(declaration, requiredNames.has(declaration.name));
    for (const rule of rules) this.#translateRule(rule);
    const declarationsOfText = declarations.filter(
      ({ format }) => format === undefined || !FORMATS_WITHOUT_PLACEHOLDERS.has(format.kind),
    );
    this.#reportGap("placeholders such as <value>, and references to other stores", declarationsOfText);
    return { schema: this.#assembleSchema(), gaps: this.#gaps };
  }

  /** Joins the translated parts to the schema of the whole object. It must come last, after all parts are translated. */
  #assembleSchema(): EscSchema {
    const [firstRule, ...otherRules] = this.#rules;
    const definitions = { ...this.#definitions };
    // ESC has no `allOf`. So the rules are a chain: the schema refers to rule-2, which refers to rule-3, and so on.
    otherRules.forEach((rule, index) => {
      const number = index + 2;
      const isLast = index === otherRules.length - 1;
      definitions[`rule-${number}`] = isLast ? rule : { ...rule, $ref: `#/$defs/rule-${number + 1}` };
    });
    // A shared definition is written only if some schema refers to it.
    const textOfSchemas = JSON.stringify([definitions, firstRule, this.#properties]);
    for (const { name, reference, alternatives } of SHARED_DEFINITIONS) {
      const isUsed = textOfSchemas.includes(JSON.stringify(reference));
      if (isUsed) definitions[name] = anyOf(alternatives);
    }
    return {
      title: this.#enforcement.title,
      description: this.#enforcement.description,
      type: "object",
      properties: this.#properties,
      ...(this.#required.length === 0 ? {} : { required: this.#required }),
      ...(firstRule === undefined ? {} : { anyOf: [firstRule] }),
      ...(otherRules.length === 0 ? {} : { $ref: "#/$defs/rule-2" }),
      ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }),
    };
  }

  /** Records something that only a start checks. Does nothing if no variable or group is concerned. */
  #reportGap(gap: string, concerned: readonly Pick<Declaration, "name">[]): void {
    if (concerned.length === 0) return;
    const names = [...(this.#gaps.get(gap) ?? []), ...concerned.map(({ name }) => name)];
    this.#gaps.set(gap, Array.from(new Set(names)));
  }

  /**
   * Returns true for a variable that the program gets even if `environmentVariables` lacks it: from a default or a
   * file.
   */
  #isSuppliedElsewhere(declaration: Declaration): boolean {
    return declaration.default !== undefined || this.#isFromFile(declaration);
  }

  #isFromFile(declaration: Declaration): boolean {
    return namesOfDeclaration(declaration).some((name) => this.#enforcement.variablesFromFiles.has(name));
  }

  #translateDeclaration(declaration: Declaration, isRequired: boolean): void {
    // A file has precedence over a variable of the same name, and the schema does not see the content of the file.
    if (this.#isFromFile(declaration)) return this.#reportGap("variables of values.files", [declaration]);
    const mustBeSet = isRequired && !this.#isSuppliedElsewhere(declaration);
    // Any value is valid, so that the schema needs no entry.
    if (declaration.format === undefined && !mustBeSet) return;
    const { alternatives, gaps } = createValueSchema(declaration, mustBeSet);
    for (const gap of gaps) this.#reportGap(gap, [declaration]);
    const names = namesOfDeclaration(declaration);
    const hasAliases = names.length > 1;
    if (!hasAliases) {
      this.#properties[declaration.name] = anyOf(mustBeSet ? alternatives : [...alternatives, IS_EMPTY]);
      if (mustBeSet) this.#required.push(declaration.name);
      return;
    }
    const validWays = this.#listWaysToHaveValue(declaration, anyOf(alternatives));
    const description = `${names.join(" or ")}: the one that gives the value is valid`;
    const ways = mustBeSet ? validWays : [...validWays, createObjectSchema([requireSchemaOfValues(IS_EMPTY, names)])];
    this.#rules.push({ description, anyOf: ways });
  }

  /**
   * Returns the ways in which a variable with aliases can have a value of this schema, each as a schema of the object.
   *
   * The value is the one under the variable's name. If that is empty, it is the value of an alias; of several aliases,
   * the first one in the order of the ESC environment. A schema cannot express this order, and so allows any alias.
   */
  #listWaysToHaveValue(declaration: Declaration, schema: EscSchema): readonly EscSchema[] {
    const [name = "", ...aliases] = namesOfDeclaration(declaration);
    if (aliases.length > 1) this.#reportGap("which of several aliases counts", [declaration]);
    return [
      { required: [name], properties: { [name]: schema } },
      ...aliases.map((alias) => ({ required: [alias], properties: { [name]: IS_EMPTY, [alias]: schema } })),
    ];
  }

  /** Translates conditions and groups. `required` rules are translated with the declaration of their variable. */
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
    const ways = this.#listWaysToMeetGroup(rule.kind, members);
    if (ways !== undefined) this.#rules.push({ description: rule.label, anyOf: ways });
  }

  /**
   * Returns the ways to meet the rule of a group, each as a schema of the object; undefined if the rule is always met.
   */
  #listWaysToMeetGroup(kind: GroupRule["kind"], members: readonly Declaration[]): readonly EscSchema[] | undefined {
    const noneIsSet = createObjectSchema(members.map((member) => this.#requireUnset(member)));
    switch (kind) {
      case "one-of":
      case "at-least-one":
        if (members.some((member) => this.#isSuppliedElsewhere(member))) return undefined;
        return members.map((member) => createObjectSchema([this.#requireSet(member)]));
      case "exactly-one": {
        // A member from a file is always set, so that no other may be.
        const memberFromFile = members.find((member) => this.#isFromFile(member));
        const candidates = memberFromFile === undefined ? members : [memberFromFile];
        const ways = candidates.map((chosen) =>
          createObjectSchema(
            members.map((member) => (member === chosen ? this.#requireSet(member) : this.#requireUnset(member))),
          ),
        );
        return members.some((member) => this.#isSuppliedElsewhere(member)) ? [...ways, noneIsSet] : ways;
      }
      case "all-or-none": {
        const withoutSupply = members.filter((member) => !this.#isSuppliedElsewhere(member));
        const allAreSet = createObjectSchema(withoutSupply.map((member) => this.#requireSet(member)));
        // A member from a file is always set, so that all must be.
        return members.some((member) => this.#isFromFile(member)) ? [allAreSet] : [allAreSet, noneIsSet];
      }
    }
  }

  /** Translates the rule that a variable is required if a condition on another variable is met. */
  #translateCondition(name: string, when: Condition): void {
    const { isEnforced } = this.#enforcement;
    const declaration = this.#contract.variables.get(name);
    const conditionVariable = this.#contract.variables.get(when.name);
    if (declaration === undefined || conditionVariable === undefined || this.#isSuppliedElsewhere(declaration)) return;
    if (!isEnforced(name) || !isEnforced(when.name)) return;
    // The schema does not see a value in a file, and so cannot decide whether it meets the condition.
    const unmetWays = this.#isFromFile(conditionVariable)
      ? undefined
      : this.#listWaysNotToMeet(conditionVariable, when.equals);
    if (unmetWays === undefined) return this.#reportGap("conditions", [declaration]);
    this.#rules.push({
      description: `${name} is required by ${when.name}`,
      anyOf: [createObjectSchema([this.#requireSet(declaration)]), ...unmetWays],
    });
  }

  /**
   * Returns the ways in which a condition is not met, each as a schema of the object.
   *
   * @param equals the values that the condition requires of the variable; undefined if it requires any value
   * @returns undefined if a schema cannot express this
   */
  #listWaysNotToMeet(variable: Declaration, equals: readonly string[] | undefined): readonly EscSchema[] | undefined {
    const { format, default: fallback } = variable;
    const names = namesOfDeclaration(variable);
    // If ESC has no value, the default decides. A default meets a condition that requires any value, so that there is no
    // way not to meet it.
    const isMetByDefault = fallback !== undefined && (equals === undefined || equals.includes(fallback));
    const withoutValue = isMetByDefault ? [] : [createObjectSchema([requireSchemaOfValues(IS_EMPTY, names)])];
    if (equals === undefined) return withoutValue;
    // ESC has no `not`. Values other than those of the condition can be listed only if the format is an `enum`.
    if (format?.kind !== "enum") return undefined;
    const otherValues = format.values.filter((value) => !equals.includes(value));
    if (otherValues.length === 0) return withoutValue;
    const hasOtherValue = anyOf(
      createValueSchema({ format: { kind: "enum", values: otherValues } }, true).alternatives,
    );
    return [...withoutValue, ...this.#listWaysToHaveValue(variable, hasOtherValue)];
  }

  /** Returns the requirement that the variable has a value with a visible character. */
  #requireSet(declaration: Declaration): ObjectRequirement {
    const { name, aliases } = declaration;
    if (this.#isFromFile(declaration)) return NO_REQUIREMENT;
    if (aliases.length === 0) return { required: [name], properties: { [name]: IS_SET }, definitions: [] };
    return this.#requireDefinition(`${name}-is-set`, () => this.#listWaysToHaveValue(declaration, IS_SET));
  }

  /** Returns the requirement that the variable has no value, or one without a visible character. */
  #requireUnset(declaration: Declaration): ObjectRequirement {
    if (this.#isFromFile(declaration)) return NO_REQUIREMENT;
    const names = namesOfDeclaration(declaration);
    if (names.length === 1) return requireSchemaOfValues(IS_BLANK, names);
    return this.#requireDefinition(`${declaration.name}-is-unset`, () => [
      createObjectSchema([requireSchemaOfValues(IS_BLANK, names)]),
      ...this.#listWaysToHaveValue(declaration, INVISIBLE_TEXT),
    ]);
  }

  /**
   * Returns the requirement that a definition of `$defs` holds. Adds the definition if the schema does not have it yet.
   */
  #requireDefinition(definitionName: string, createWays: () => readonly EscSchema[]): ObjectRequirement {
    this.#definitions[definitionName] ??= { anyOf: createWays() };
    return { ...NO_REQUIREMENT, definitions: [definitionName] };
  }
}

const NO_REQUIREMENT: ObjectRequirement = { required: [], properties: {}, definitions: [] };

/**
 * Returns the requirement that the values of these names meet a schema. Names that the object lacks meet it as well.
 */
function requireSchemaOfValues(schema: EscSchema, names: readonly string[]): ObjectRequirement {
  return { ...NO_REQUIREMENT, properties: Object.fromEntries(names.map((name) => [name, schema])) };
}

/** Returns the schema of the objects that meet all requirements. */
function createObjectSchema(requirements: readonly ObjectRequirement[]): EscSchema {
  const required = requirements.flatMap((requirement) => requirement.required);
  const properties = Object.fromEntries(requirements.flatMap((requirement) => Object.entries(requirement.properties)));
  const schema: EscSchema = {
    ...(required.length === 0 ? {} : { required }),
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
  };
  // ESC has no `allOf`. So the definitions enclose the schema: a `$ref` and an `anyOf` of one schema must both hold.
  const definitions = requirements.flatMap((requirement) => requirement.definitions);
  return definitions.reduceRight<EscSchema>((inner, name) => {
    const innerPart = Object.keys(inner).length === 0 ? {} : { anyOf: [inner] };
    return { $ref: `#/$defs/${name}`, ...innerPart };
  }, schema);
}

/** Returns the schema that values meet if they meet one of the alternatives. */
function anyOf(alternatives: readonly EscSchema[]): EscSchema {
  const [only, ...others] = alternatives;
  return others.length === 0 && only !== undefined ? only : { anyOf: alternatives };
}
