/** Words violations and their remedies; pure, without values. */
import { isOfRunner } from "./actions-runner.ts";
import { isOfLine, type Origin } from "../core/model.ts";
import type { ReferenceForm } from "../core/reference-forms.ts";
import { resolutionOf } from "./reference-resolvers.ts";
import { nameFinder } from "../core/suggest.ts";
import { grouped } from "../core/grouped.ts";
import { enumerateFew } from "../core/lines.ts";
import { printable } from "../core/text.ts";
import { isDeclared } from "./check-contract.ts";
import { type Condition, type Contract, CONTRACT_FILE_NAME, type GroupRule, type Violation } from "./contract-model.ts";
import { correction, pageOf, preferred, type Remedy, supplyOf, type Target } from "./remedies.ts";
import { alternatives, faultWords } from "./contract-words.ts";

export interface WordingContext {
  readonly target: Target;
  /** Returns true for a variable that no source but the process environment sets. */
  readonly isOfEnvironment?: (name: string) => boolean;
  readonly present: readonly string[];
  readonly origins?: ReadonlyMap<string, { readonly origin: Origin }>;
  /** Returns why the program does not get a variable of a source: `withheld by --exclude`. */
  readonly withheld?: (name: string) => string | undefined;
  /** Returns where a source has a variable without a value: `empty (.env, line 3)`. */
  readonly empty?: (name: string) => string | undefined;
  /** The contract as the user has named it; undefined if it was found. */
  readonly contractFile?: string | undefined;
}

export interface Wording extends Remedy {
  readonly violation: Violation;
  readonly message: string;
}

/** Words violations: message and remedies, without any value. */
export function describeViolations(
  violations: readonly Violation[],
  contract: Contract,
  context: WordingContext,
): readonly Wording[] {
  const { target, isOfEnvironment = () => false, origins } = context;
  const { withheld = () => undefined, empty = () => undefined } = context;
  const targetOf = (name: string): Target => (isOfEnvironment(name) ? { kind: "environment" } : target);
  // A declared name is not a misspelling of another. Nor is GITHUB_PATH, which every job has, one of GITHUB_PAT.
  const findSimilar = nameFinder(context.present.filter((name) => !isDeclared(contract, name) && !isOfRunner(name)));
  const supply = (names: readonly string[]): Remedy => {
    if (names.some((name) => withheld(name) !== undefined)) return NO_REMEDY;
    const advice = names.flatMap((name) => {
      const meant = findSimilar(name);
      if (meant === undefined) return [];
      const origin = origins?.get(meant)?.origin;
      const place =
        origin !== undefined && isOfLine(origin) ? ` in ${printable(origin.file)}, line ${origin.line}` : "";
      return [`did you mean ${name}? ${printable(meant)} is set${place}`];
    });
    return { advice, supply: supplyOf(names, contract, targetOf), ...pageOf(names, contract) };
  };
  const correct = (name: string): Remedy => correction(name, contract, origins?.get(name)?.origin, targetOf);
  const resolve = (name: string, form: ReferenceForm): readonly string[] => {
    const origin = origins?.get(name)?.origin;
    return resolutionOf(form, origin !== undefined && isOfLine(origin) ? origin.file : undefined);
  };
  const { contractFile } = context;
  const named = contractFile === undefined ? {} : { contract: contractFile };
  return violations.map((violation) => {
    const described = describe(violation, contract, { supply, correct, resolve, withheld, empty });
    return { violation, ...described, supply: described.supply.map((one) => ({ ...one, ...named })) };
  });
}

const NO_REMEDY: Remedy = { advice: [], supply: [] };

const ABSENT: Omit<Wording, "violation"> = {
  message: `there is no contract here (${CONTRACT_FILE_NAME})`,
  advice: ["write one: sophia-run init"],
  supply: [],
};

interface WordingHelpers {
  readonly supply: (names: readonly string[]) => Remedy;
  readonly correct: (name: string) => Remedy;
  readonly resolve: (name: string, form: ReferenceForm) => readonly string[];
  readonly withheld: (name: string) => string | undefined;
  readonly empty: (name: string) => string | undefined;
}

function describe(violation: Violation, contract: Contract, helpers: WordingHelpers): Omit<Wording, "violation"> {
  const { supply, correct, resolve, withheld, empty } = helpers;
  if (violation.kind === "no-contract") return ABSENT;
  const about = "name" in violation ? subject(violation.name, contract) : printable(violation.rule.label);
  switch (violation.kind) {
    case "missing": {
      const why = withheld(violation.name) ?? empty(violation.name) ?? "not set";
      return { message: `${about} is required and ${why}`, ...supply([violation.name]) };
    }
    case "missing-when": {
      const why = withheld(violation.name) ?? empty(violation.name) ?? "not set";
      const message = `${about} is ${why}, and is required because ${conditionWords(violation.when)}`;
      return { message, ...supply([violation.name]) };
    }
    case "none-set":
      return { message: `${about}: ${noneSet(violation.rule, contract, withheld)}`, ...supply(violation.rule.names) };
    case "several-set": {
      const set = enumerated(violation.set);
      const message = `${about}: only one of ${enumerated(violation.rule.names)} may be set, but ${set} are`;
      return { message, advice: [`keep one of ${set} and unset the others`], supply: [] };
    }
    case "some-missing": {
      const { set, missing } = violation;
      const remedies = missing.map((name) => supply([name]));
      const what = `${enumerated(set)} ${areIs(set)} set, but ${enumerated(missing)} ${areIs(missing)} not`;
      return {
        message: `${about}: ${what}: set all of them or none${withheldClause(missing, withheld)}`,
        advice: remedies.flatMap(({ advice }) => advice),
        supply: remedies.flatMap((one) => one.supply),
        ...pageOf(missing, contract),
      };
    }
    case "malformed":
      return { message: `${about} ${faultWords(violation.fault)}`, ...correct(violation.name) };
    case "refused": {
      const advice = ["if the contract allows it, write the schema again: sophia-run enforce"];
      const { supply: supplied } = correct(violation.name);
      return { message: `${about} has a value that the schema in ESC refuses`, advice, supply: supplied };
    }
    case "reference": {
      const { name, form } = violation;
      const { advice, ...rest } = correct(name);
      return {
        message: `${about} is a reference (${form}), not a value`,
        ...rest,
        advice: [...advice, ...resolve(name, form)],
      };
    }
    case "placeholder": {
      const { name } = violation;
      return { message: `${about} is still a placeholder`, ...correct(name), ...pageOf([name], contract) };
    }
  }
}

/** `; A is withheld by --exclude`; empty if nothing is withheld. */
function withheldClause(names: readonly string[], withheld: WordingHelpers["withheld"]): string {
  const reasons = grouped(names, withheld);
  reasons.delete(undefined);
  return Array.from(reasons, ([why, kept]) => `; ${enumerated(kept)} ${areIs(kept)} ${why}`).join("");
}

/** Limit of names in a message; a report for programs also has all of them. */
const MOST_NAMES = 50;

function enumerated(names: readonly string[]): string {
  return enumerateFew(names, MOST_NAMES);
}

function areIs(names: readonly string[]): string {
  return names.length === 1 ? "is" : "are";
}

function noneSet({ kind, names }: GroupRule, contract: Contract, withheld: WordingHelpers["withheld"]): string {
  const first = preferred(names, contract) ?? "";
  if (names.length === 1) return `${first} is required and ${withheld(first) ?? "not set"}`;
  const kept = withheldClause(names, withheld);
  const needed = `${QUANTITIES[kind]} of ${enumerated(names)} is required`;
  if (kept !== "") return needed + kept;
  const required = `${needed}, and none is set`;
  return kind === "one-of" ? `${required} (${first} is preferred)` : required;
}

const QUANTITIES: Readonly<Record<GroupRule["kind"], string>> = {
  "one-of": "one",
  "exactly-one": "exactly one",
  "at-least-one": "at least one",
  "all-or-none": "each",
};

function subject(name: string, contract: Contract): string {
  const label = contract.variables.get(name)?.label;
  return label === undefined || label === name ? name : `${name} (${printable(label)})`;
}

/** Includes values: only the value of a public variable can be a condition. */
function conditionWords({ name, equals }: Condition): string {
  return equals === undefined ? `${name} is set` : `${name} is ${alternatives(equals.map(printable))}`;
}
