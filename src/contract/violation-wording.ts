/**
 * Describes violations of the contract for the user: a message for each, and its remedy. This is imported only if there
 * is a violation. The texts never contain the value of a variable.
 *
 *     STRIPE_API_KEY is required and not set          message
 *     set STRIPE_API_KEY in the environment           remedy (remedies.ts)
 */
import { isOfRunner } from "./actions-runner.ts";
import { isLineLocation, type Origin } from "../core/model.ts";
import type { ReferenceForm } from "../core/reference-forms.ts";
import { describeResolver } from "./reference-resolvers.ts";
import { createNameFinder } from "../core/suggest.ts";
import { groupBy } from "../core/group-by.ts";
import { enumerateFew } from "../core/lines.ts";
import { printable } from "../core/text.ts";
import { isDeclared } from "./check-contract.ts";
import { type Condition, type Contract, CONTRACT_FILE_NAME, type GroupRule, type Violation } from "./contract-model.ts";
import {
  remedyForValue,
  findDocs,
  choosePreferredVariable,
  type Remedy,
  chooseValueToSet,
  type ValueTarget,
} from "./remedies.ts";
import { joinAlternatives, describeFormatFault } from "./contract-words.ts";

/** The facts about a start on which descriptions depend. */
export interface DescriptionContext {
  /** The place where the user should set a value, unless `isSetOnlyByEnvironment` returns true. */
  readonly defaultTarget: ValueTarget;
  /** Returns true for a variable that only the process environment can set. */
  readonly isSetOnlyByEnvironment?: (name: string) => boolean;
  /** The names of all variables that a source has. A missing variable may be among them, misspelled. */
  readonly presentNames: readonly string[];
  /** The origin of each value, by the name of the variable. */
  readonly origins?: ReadonlyMap<string, { readonly origin: Origin }>;
  /** Returns why the program does not get a variable that a source has: `withheld by --exclude`. */
  readonly describeWithholding?: (name: string) => string | undefined;
  /** Returns where a source has a variable with an empty value: `empty (.env, line 3)`. */
  readonly describeEmptyValue?: (name: string) => string | undefined;
  /** The path of the contract as the user wrote it; undefined if the contract was found. */
  readonly contractFile?: string | undefined;
}

/** The description of one violation, with its remedy. */
export interface ViolationDescription extends Remedy {
  readonly violation: Violation;
  readonly message: string;
}

/** Describes violations. The result has one description for each violation, in the same order. */
export function describeViolations(
  violations: readonly Violation[],
  contract: Contract,
  context: DescriptionContext,
): readonly ViolationDescription[] {
  const helpers = createHelpers(contract, context);
  const { contractFile } = context;
  const contractPart = contractFile === undefined ? {} : { contract: contractFile };
  return violations.map((violation) => {
    const description = describeViolation(violation, contract, helpers);
    const valuesToSet = description.valuesToSet.map((value) => ({ ...value, ...contractPart }));
    return { violation, ...description, valuesToSet };
  });
}

function createHelpers(contract: Contract, context: DescriptionContext): DescriptionHelpers {
  const { defaultTarget, isSetOnlyByEnvironment = () => false, origins } = context;
  const { describeWithholding = () => undefined, describeEmptyValue = () => undefined } = context;
  const chooseTarget = (name: string): ValueTarget =>
    isSetOnlyByEnvironment(name) ? { kind: "environment" } : defaultTarget;
  const findLocation = (name: string): LineOrigin | undefined => {
    const origin = origins?.get(name)?.origin;
    return origin !== undefined && isLineLocation(origin) ? origin : undefined;
  };
  // A declared name is not a misspelling of another one. Nor is GITHUB_PATH, which every job has, a misspelling of
  // GITHUB_PAT.
  const findSimilar = createNameFinder(
    context.presentNames.filter((name) => !isDeclared(contract, name) && !isOfRunner(name)),
  );
  const suggestCorrection = (name: string): readonly string[] => {
    const similarName = findSimilar(name);
    if (similarName === undefined) return [];
    const location = findLocation(similarName);
    const place = location === undefined ? "" : ` in ${printable(location.file)}, line ${location.line}`;
    return [`did you mean ${name}? ${printable(similarName)} is set${place}`];
  };
  return {
    describeUnsetState: (name) => describeWithholding(name) ?? describeEmptyValue(name) ?? "not set",
    describeWithholding,
    remedyForMissing: (names) => {
      // The message already says why the program does not get a variable. The user need not set it again.
      if (names.some((name) => describeWithholding(name) !== undefined)) return NO_REMEDY;
      const advice = names.flatMap(suggestCorrection);
      return { advice, valuesToSet: chooseValueToSet(names, contract, chooseTarget), ...findDocs(names, contract) };
    },
    remedyForWrong: (name) => remedyForValue(name, contract, origins?.get(name)?.origin, chooseTarget),
    resolverLinesFor: (name, form) => describeResolver(form, findLocation(name)?.file),
  };
}

const NO_REMEDY: Remedy = { advice: [], valuesToSet: [] };

const ABSENT_CONTRACT: Omit<ViolationDescription, "violation"> = {
  message: `there is no contract here (${CONTRACT_FILE_NAME})`,
  advice: ["write one: sophia-run init"],
  valuesToSet: [],
};

/** The context of a start, in the form in which descriptions use it. */
interface DescriptionHelpers {
  /** Returns the remedy if one of these variables must be set. */
  readonly remedyForMissing: (names: readonly string[]) => Remedy;
  /** Returns the remedy if the value of this variable is wrong. */
  readonly remedyForWrong: (name: string) => Remedy;
  /** Returns lines about the program that resolves the reference in this variable. */
  readonly resolverLinesFor: (name: string, form: ReferenceForm) => readonly string[];
  /** Returns why the program does not get a value: `withheld by --exclude`, `empty (.env, line 3)` or `not set`. */
  readonly describeUnsetState: (name: string) => string;
  /** `describeWithholding` of {@link DescriptionContext}. */
  readonly describeWithholding: (name: string) => string | undefined;
}

/** An origin in a file with lines, such as `.env`. */
type LineOrigin = Extract<Origin, { readonly line: number }>;

function describeViolation(
  violation: Violation,
  contract: Contract,
  helpers: DescriptionHelpers,
): Omit<ViolationDescription, "violation"> {
  const { remedyForMissing, remedyForWrong, resolverLinesFor, describeUnsetState, describeWithholding } = helpers;
  if (violation.kind === "no-contract") return ABSENT_CONTRACT;
  const subject = "name" in violation ? describeVariable(violation.name, contract) : printable(violation.rule.label);
  switch (violation.kind) {
    case "missing": {
      const state = describeUnsetState(violation.name);
      return { message: `${subject} is required and ${state}`, ...remedyForMissing([violation.name]) };
    }
    case "missing-when": {
      const state = describeUnsetState(violation.name);
      const message = `${subject} is ${state}, and is required because ${describeCondition(violation.when)}`;
      return { message, ...remedyForMissing([violation.name]) };
    }
    case "none-set":
      return {
        message: `${subject}: ${describeNoneSet(violation.rule, contract, describeWithholding)}`,
        ...remedyForMissing(violation.rule.names),
      };
    case "several-set": {
      const set = enumerateNames(violation.set);
      const message = `${subject}: only one of ${enumerateNames(violation.rule.names)} may be set, but ${set} are`;
      return { message, advice: [`keep one of ${set} and unset the others`], valuesToSet: [] };
    }
    case "some-missing": {
      const { set, missing } = violation;
      const remedies = missing.map((name) => remedyForMissing([name]));
      const state = `${enumerateNames(set)} ${isOrAre(set)} set, but ${enumerateNames(missing)} ${isOrAre(missing)} not`;
      return {
        message: `${subject}: ${state}: set all of them or none${describeWithheldNames(missing, describeWithholding)}`,
        advice: remedies.flatMap(({ advice }) => advice),
        valuesToSet: remedies.flatMap((remedy) => remedy.valuesToSet),
        ...findDocs(missing, contract),
      };
    }
    case "malformed":
      return { message: `${subject} ${describeFormatFault(violation.fault)}`, ...remedyForWrong(violation.name) };
    case "refused": {
      const advice = ["if the contract allows it, write the schema again: sophia-run enforce"];
      const { valuesToSet } = remedyForWrong(violation.name);
      return { message: `${subject} has a value that the schema in ESC refuses`, advice, valuesToSet };
    }
    case "reference": {
      const { name, form } = violation;
      const { advice, ...rest } = remedyForWrong(name);
      return {
        message: `${subject} is a reference (${form}), not a value`,
        ...rest,
        advice: [...advice, ...resolverLinesFor(name, form)],
      };
    }
    case "placeholder": {
      const { name } = violation;
      return { message: `${subject} is still a placeholder`, ...remedyForWrong(name), ...findDocs([name], contract) };
    }
  }
}

/** Returns `; A is withheld by --exclude`; an empty text if none of the variables is withheld. */
function describeWithheldNames(
  names: readonly string[],
  describeWithholding: DescriptionHelpers["describeWithholding"],
): string {
  const reasons = groupBy(names, describeWithholding);
  reasons.delete(undefined);
  return Array.from(
    reasons,
    ([reason, variables]) => `; ${enumerateNames(variables)} ${isOrAre(variables)} ${reason}`,
  ).join("");
}

/**
 * The limit of names in one message, which the user must be able to read. A report in JSON has all names in its fields.
 */
const MAX_NAMES = 50;

function enumerateNames(names: readonly string[]): string {
  return enumerateFew(names, MAX_NAMES);
}

function isOrAre(names: readonly string[]): string {
  return names.length === 1 ? "is" : "are";
}

function describeNoneSet(
  { kind, names }: GroupRule,
  contract: Contract,
  describeWithholding: DescriptionHelpers["describeWithholding"],
): string {
  const first = choosePreferredVariable(names, contract) ?? "";
  if (names.length === 1) return `${first} is required and ${describeWithholding(first) ?? "not set"}`;
  const requirement = `${QUANTITIES[kind]} of ${enumerateNames(names)} is required`;
  const withheldPart = describeWithheldNames(names, describeWithholding);
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
 * Describes a condition. It may show the values of the condition, because the check of a contract refuses a condition
 * on the value of a secret.
 */
function describeCondition({ name, equals }: Condition): string {
  return equals === undefined ? `${name} is set` : `${name} is ${joinAlternatives(equals.map(printable))}`;
}
