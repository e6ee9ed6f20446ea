/** Violations in words: what is wrong and what to do; pure, without values. */
import { isOfRunner } from "../core/actions-runner.ts";
import type { Origin } from "../core/model.ts";
import { nameFinder } from "../core/suggest.ts";
import { grouped } from "../core/grouped.ts";
import { enumerateFew } from "../core/lines.ts";
import { printable } from "../core/text.ts";
import { isDeclared } from "./check.ts";
import type { Condition, Contract, GroupRule, Violation } from "./model.ts";
import { correction, pageOf, preferred, type Remedy, supplyOf, type Target } from "./remedies.ts";
import { alternatives, faultWords } from "./words.ts";

/** What the wording may know of the run. */
export interface WordingContext {
  /** Where what is missing is to be set. */
  readonly target: Target;
  /** The names of all variables that are set, for 'did you mean'. */
  readonly present: readonly string[];
  /** Where each variable comes from, so that a wrong value is corrected there; a Resolution fits. */
  readonly origins?: ReadonlyMap<string, { readonly origin: Origin }>;
  /** Why the program does not get a variable that a source has: `withheld by --exclude`. */
  readonly withheld?: (name: string) => string | undefined;
}

/** One violation in words. */
export interface Wording extends Remedy {
  readonly violation: Violation;
  readonly message: string;
}

/** Words violations, in their order: what is wrong and what to do about it. Never holds a value. */
export function describeViolations(
  violations: readonly Violation[],
  contract: Contract,
  context: WordingContext,
): readonly Wording[] {
  const { target, origins, withheld = () => undefined } = context;
  // A name that the contract knows is not a misspelling of another, nor is GITHUB_PATH, which every job has, of GITHUB_PAT.
  const findSimilar = nameFinder(context.present.filter((name) => !isDeclared(contract, name) && !isOfRunner(name)));
  const supply = (names: readonly string[]): Remedy => {
    // What a source has need not be set.
    if (names.some((name) => withheld(name) !== undefined)) return NO_REMEDY;
    const advice = names.flatMap((name) => {
      const meant = findSimilar(name);
      return meant === undefined ? [] : [`did you mean ${name}? ${printable(meant)} is set`];
    });
    return { advice, supply: supplyOf(names, contract, target), ...pageOf(names, contract) };
  };
  const correct = (name: string): Remedy => correction(name, contract, origins?.get(name)?.origin, target);
  return violations.map((violation) => ({
    violation,
    ...describe(violation, contract, { supply, correct, withheld }),
  }));
}

const NO_REMEDY: Remedy = { advice: [], supply: [] };

interface Helpers {
  readonly supply: (names: readonly string[]) => Remedy;
  readonly correct: (name: string) => Remedy;
  readonly withheld: (name: string) => string | undefined;
}

function describe(violation: Violation, contract: Contract, helpers: Helpers): Omit<Wording, "violation"> {
  const { supply, correct, withheld } = helpers;
  switch (violation.kind) {
    case "missing": {
      const why = withheld(violation.name) ?? "not set";
      return { message: `${subject(violation.name, contract)} is required and ${why}`, ...supply([violation.name]) };
    }
    case "missing-when": {
      const why = withheld(violation.name) ?? "not set";
      return {
        message: `${subject(violation.name, contract)} is ${why}, and is required because ${conditionWords(violation.when)}`,
        ...supply([violation.name]),
      };
    }
    case "none-set":
      return { message: noneSet(violation.rule, contract, withheld), ...supply(violation.rule.names) };
    case "several-set":
      return {
        message: `${printable(violation.rule.label)}: only one of ${enumerated(violation.rule.names)} may be set, but ${enumerated(violation.set)} are`,
        advice: [`keep one of ${enumerated(violation.set)} and unset the others`],
        supply: [],
      };
    case "some-missing": {
      const { rule, set, missing } = violation;
      const remedies = missing.map((name) => supply([name]));
      const kept = withheldClause(missing, withheld);
      return {
        message: `${printable(rule.label)}: ${enumerated(set)} ${areIs(set)} set, but ${enumerated(missing)} ${areIs(missing)} not: set all of them or none${kept}`,
        advice: remedies.flatMap(({ advice }) => advice),
        supply: remedies.flatMap((one) => one.supply),
        ...pageOf(missing, contract),
      };
    }
    case "malformed":
      return {
        message: `${subject(violation.name, contract)} ${faultWords(violation.fault)}`,
        ...correct(violation.name),
      };
    case "placeholder":
      return {
        message: `${subject(violation.name, contract)} is still a placeholder`,
        ...correct(violation.name),
        ...pageOf([violation.name], contract),
      };
  }
}

/** `; A is withheld by --exclude`; empty where nothing is withheld. */
function withheldClause(names: readonly string[], withheld: Helpers["withheld"]): string {
  const reasons = grouped(names, withheld);
  reasons.delete(undefined);
  return Array.from(reasons, ([why, kept]) => `; ${enumerated(kept)} ${areIs(kept)} ${why}`).join("");
}

/** The names of a group in a message; a report for programs has all of them beside it. */
const MOST_NAMES = 50;

function enumerated(names: readonly string[]): string {
  return enumerateFew(names, MOST_NAMES);
}

function areIs(names: readonly string[]): string {
  return names.length === 1 ? "is" : "are";
}

function noneSet({ kind, label, names }: GroupRule, contract: Contract, withheld: Helpers["withheld"]): string {
  const first = preferred(names, contract) ?? "";
  if (names.length === 1) return `${printable(label)}: ${first} is required and ${withheld(first) ?? "not set"}`;
  const kept = withheldClause(names, withheld);
  const needed = `${printable(label)}: ${QUANTITIES[kind]} of ${enumerated(names)} is required`;
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

/** `QDRANT_URL (Qdrant URL)`. */
function subject(name: string, contract: Contract): string {
  const label = contract.variables.get(name)?.label;
  return label === undefined || label === name ? name : `${name} (${printable(label)})`;
}

/** With values: only a public variable can be a condition by its value. */
function conditionWords({ name, equals }: Condition): string {
  return equals === undefined ? `${name} is set` : `${name} is ${alternatives(equals.map(printable))}`;
}
