/**
 * Describes violations of the contract, and their remedies, for the user. No text has a secret value, and the code has no side
 * effects. Loaded only if there is a violation.
 */
import { isOfRunner } from "./actions-runner.ts";
import { isOfLine, type Origin } from "../core/model.ts";
import type { ReferenceForm } from "../core/reference-forms.ts";
import { describeResolver } from "./reference-resolvers.ts";
import { nameFinder } from "../core/suggest.ts";
import { grouped } from "../core/grouped.ts";
import { enumerateFew } from "../core/lines.ts";
import { printable } from "../core/text.ts";
import { isDeclared } from "./check-contract.ts";
import { type Condition, type Contract, CONTRACT_FILE_NAME, type GroupRule, type Violation } from "./contract-model.ts";
import { remedyForValue, docsOf, preferredVariable, type Remedy, supplyOf, type Target } from "./remedies.ts";
import { alternatives, faultWords } from "./contract-words.ts";

/** The facts about a start that descriptions depend on. */
export interface WordingContext {
  /** The place where the user should set a value. */
  readonly target: Target;
  /** Returns true for a variable that only the process environment can set. */
  readonly isOfEnvironment?: (name: string) => boolean;
  /** The names of the variables that some source has, in which misspelled names are searched. */
  readonly present: readonly string[];
  /** The sources of values, by name. */
  readonly origins?: ReadonlyMap<string, { readonly origin: Origin }>;
  /** Returns why the program does not get a variable that a source has: `withheld by --exclude`. */
  readonly withheld?: (name: string) => string | undefined;
  /** Returns where a source has a variable with an empty value: `empty (.env, line 3)`. */
  readonly empty?: (name: string) => string | undefined;
  /** The path of the contract as the user wrote it; undefined if the contract was found. */
  readonly contractFile?: string | undefined;
}

/** The description of one violation, with its remedy. */
export interface Wording extends Remedy {
  readonly violation: Violation;
  readonly message: string;
}

/** Describes violations: a message for each, and what the user can do. */
export function describeViolations(
  violations: readonly Violation[],
  contract: Contract,
  context: WordingContext,
): readonly Wording[] {
  const { target, isOfEnvironment = () => false, origins } = context;
  const { withheld = () => undefined, empty = () => undefined } = context;
  const targetOf = (name: string): Target => (isOfEnvironment(name) ? { kind: "environment" } : target);
  // A declared name is not a misspelling of another one. Nor is GITHUB_PATH, which every job has, a misspelling of GITHUB_PAT.
  const findSimilar = nameFinder(context.present.filter((name) => !isDeclared(contract, name) && !isOfRunner(name)));
  const supply = (names: readonly string[]): Remedy => {
    if (names.some((name) => withheld(name) !== undefined)) return NO_REMEDY;
    const advice = names.flatMap((name) => {
      const similarName = findSimilar(name);
      if (similarName === undefined) return [];
      const origin = origins?.get(similarName)?.origin;
      const place =
        origin !== undefined && isOfLine(origin) ? ` in ${printable(origin.file)}, line ${origin.line}` : "";
      return [`did you mean ${name}? ${printable(similarName)} is set${place}`];
    });
    return { advice, supply: supplyOf(names, contract, targetOf), ...docsOf(names, contract) };
  };
  const correct = (name: string): Remedy => remedyForValue(name, contract, origins?.get(name)?.origin, targetOf);
  const resolve = (name: string, form: ReferenceForm): readonly string[] => {
    const origin = origins?.get(name)?.origin;
    return describeResolver(form, origin !== undefined && isOfLine(origin) ? origin.file : undefined);
  };
  const { contractFile } = context;
  const contractPart = contractFile === undefined ? {} : { contract: contractFile };
  return violations.map((violation) => {
    const description = describe(violation, contract, { supply, correct, resolve, withheld, empty });
    const values = description.supply.map((value) => ({ ...value, ...contractPart }));
    return { violation, ...description, supply: values };
  });
}

const NO_REMEDY: Remedy = { advice: [], supply: [] };

const ABSENT_CONTRACT: Omit<Wording, "violation"> = {
  message: `there is no contract here (${CONTRACT_FILE_NAME})`,
  advice: ["write one: sophia-run init"],
  supply: [],
};

interface WordingHelpers {
  /** Returns the remedy if one of these variables must be set. */
  readonly supply: (names: readonly string[]) => Remedy;
  /** Returns the remedy if the value of this variable is wrong. */
  readonly correct: (name: string) => Remedy;
  /** Returns lines that say how the reference in this variable is resolved. */
  readonly resolve: (name: string, form: ReferenceForm) => readonly string[];
  readonly withheld: (name: string) => string | undefined;
  readonly empty: (name: string) => string | undefined;
}

function describe(violation: Violation, contract: Contract, helpers: WordingHelpers): Omit<Wording, "violation"> {
  const { supply, correct, resolve, withheld, empty } = helpers;
  if (violation.kind === "no-contract") return ABSENT_CONTRACT;
  const subject = "name" in violation ? describeVariable(violation.name, contract) : printable(violation.rule.label);
  switch (violation.kind) {
    case "missing": {
      const state = withheld(violation.name) ?? empty(violation.name) ?? "not set";
      return { message: `${subject} is required and ${state}`, ...supply([violation.name]) };
    }
    case "missing-when": {
      const state = withheld(violation.name) ?? empty(violation.name) ?? "not set";
      const message = `${subject} is ${state}, and is required because ${describeCondition(violation.when)}`;
      return { message, ...supply([violation.name]) };
    }
    case "none-set":
      return {
        message: `${subject}: ${describeNoneSet(violation.rule, contract, withheld)}`,
        ...supply(violation.rule.names),
      };
    case "several-set": {
      const set = enumerated(violation.set);
      const message = `${subject}: only one of ${enumerated(violation.rule.names)} may be set, but ${set} are`;
      return { message, advice: [`keep one of ${set} and unset the others`], supply: [] };
    }
    case "some-missing": {
      const { set, missing } = violation;
      const remedies = missing.map((name) => supply([name]));
      const state = `${enumerated(set)} ${isOrAre(set)} set, but ${enumerated(missing)} ${isOrAre(missing)} not`;
      return {
        message: `${subject}: ${state}: set all of them or none${withheldClause(missing, withheld)}`,
        advice: remedies.flatMap(({ advice }) => advice),
        supply: remedies.flatMap((remedy) => remedy.supply),
        ...docsOf(missing, contract),
      };
    }
    case "malformed":
      return { message: `${subject} ${faultWords(violation.fault)}`, ...correct(violation.name) };
    case "refused": {
      const advice = ["if the contract allows it, write the schema again: sophia-run enforce"];
      const { supply: supplied } = correct(violation.name);
      return { message: `${subject} has a value that the schema in ESC refuses`, advice, supply: supplied };
    }
    case "reference": {
      const { name, form } = violation;
      const { advice, ...rest } = correct(name);
      return {
        message: `${subject} is a reference (${form}), not a value`,
        ...rest,
        advice: [...advice, ...resolve(name, form)],
      };
    }
    case "placeholder": {
      const { name } = violation;
      return { message: `${subject} is still a placeholder`, ...correct(name), ...docsOf([name], contract) };
    }
  }
}

/** Returns `; A is withheld by --exclude`; an empty text if none of the variables is withheld. */
function withheldClause(names: readonly string[], withheld: WordingHelpers["withheld"]): string {
  const reasons = grouped(names, withheld);
  reasons.delete(undefined);
  return Array.from(
    reasons,
    ([reason, variables]) => `; ${enumerated(variables)} ${isOrAre(variables)} ${reason}`,
  ).join("");
}

/** The limit of names in a message. A report in JSON has all names in its fields. */
const MAX_NAMES = 50;

function enumerated(names: readonly string[]): string {
  return enumerateFew(names, MAX_NAMES);
}

function isOrAre(names: readonly string[]): string {
  return names.length === 1 ? "is" : "are";
}

function describeNoneSet({ kind, names }: GroupRule, contract: Contract, withheld: WordingHelpers["withheld"]): string {
  const first = preferredVariable(names, contract) ?? "";
  if (names.length === 1) return `${first} is required and ${withheld(first) ?? "not set"}`;
  const requirement = `${QUANTITIES[kind]} of ${enumerated(names)} is required`;
  const withheldPart = withheldClause(names, withheld);
  if (withheldPart !== "") return requirement + withheldPart;
  const sentence = `${requirement}, and none is set`;
  return kind === "one-of" ? `${sentence} (${first} is preferred)` : sentence;
}

const QUANTITIES: Readonly<Record<GroupRule["kind"], string>> = {
  "one-of": "one",
  "exactly-one": "exactly one",
  "at-least-one": "at least one",
  "all-or-none": "each",
};

function describeVariable(name: string, contract: Contract): string {
  const label = contract.variables.get(name)?.label;
  return label === undefined || label === name ? name : `${name} (${printable(label)})`;
}

/**
 * Describes a condition with its values, which are not secret: the check of a contract refuses a condition on a secret's
 * value.
 */
function describeCondition({ name, equals }: Condition): string {
  return equals === undefined ? `${name} is set` : `${name} is ${alternatives(equals.map(printable))}`;
}
