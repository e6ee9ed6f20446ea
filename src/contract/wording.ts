/** Violations in words: what is wrong and what to do; pure, without values. */
import type { Origin } from "../core/model.ts";
import { nameFinder } from "../core/suggest.ts";
import { enumerate, printable } from "../core/text.ts";
import { isDeclared } from "./check.ts";
import type { Condition, Contract, GroupRule, Violation } from "./model.ts";
import { correctLines, preferred, supplyLines, whereToGet } from "./remedies.ts";
import { alternatives, faultWords } from "./words.ts";

/** What the wording may know of the run. */
interface WordingContext {
  /** The ESC environment in use, as `org/project/name`; absent where ESC is not configured. */
  readonly escEnvironment?: string;
  /** The names of all variables that are set, for 'did you mean'. */
  readonly present: readonly string[];
  /** Where each variable comes from, so that a wrong value is corrected there; a Resolution fits. */
  readonly origins?: ReadonlyMap<string, { readonly origin: Origin }>;
}

/** One violation in words; each remedy is a line to act on, the best first. */
interface Wording {
  readonly message: string;
  readonly remedies: readonly string[];
}

/** Words violations, in their order: what is wrong and what to do about it. Never holds a value. */
export function describeViolations(
  violations: readonly Violation[],
  contract: Contract,
  context: WordingContext,
): readonly (Wording & { readonly violation: Violation })[] {
  // A name that the contract knows is not a misspelling of another.
  const findSimilar = nameFinder(context.present.filter((name) => !isDeclared(contract, name)));
  const supply = (names: readonly string[]): readonly string[] => [
    ...names.flatMap((name) => {
      const meant = findSimilar(name);
      return meant === undefined ? [] : [`did you mean ${name}? ${printable(meant)} is set`];
    }),
    ...supplyLines(names, contract, context.escEnvironment),
    ...whereToGet(names, contract),
  ];
  const correct = (name: string): readonly string[] =>
    correctLines(name, contract, context.origins?.get(name)?.origin, context.escEnvironment);
  return violations.map((violation) => ({ violation, ...describe(violation, contract, supply, correct) }));
}

type Remedies<Subject> = (subject: Subject) => readonly string[];

function describe(
  violation: Violation,
  contract: Contract,
  supply: Remedies<readonly string[]>,
  correct: Remedies<string>,
): Wording {
  switch (violation.kind) {
    case "missing":
      return {
        message: `${subject(violation.name, contract)} is required and not set`,
        remedies: supply([violation.name]),
      };
    case "missing-when":
      return {
        message: `${subject(violation.name, contract)} is not set, and is required because ${conditionWords(violation.when)}`,
        remedies: supply([violation.name]),
      };
    case "none-set":
      return { message: noneSet(violation.rule, contract), remedies: supply(violation.rule.names) };
    case "several-set":
      return {
        message: `${printable(violation.rule.label)}: only one of ${enumerate(violation.rule.names)} may be set, but ${enumerate(violation.set)} are`,
        remedies: [`keep one of ${enumerate(violation.set)} and unset the others`],
      };
    case "some-missing":
      return {
        message: `${printable(violation.rule.label)}: ${enumerate(violation.set)} ${areIs(violation.set)} set, but ${enumerate(violation.missing)} ${areIs(violation.missing)} not: set all of them or none`,
        remedies: violation.missing.flatMap((name) => supply([name])),
      };
    case "malformed":
      return {
        message: `${subject(violation.name, contract)} ${faultWords(violation.fault)}`,
        remedies: correct(violation.name),
      };
    case "placeholder":
      return {
        message: `${subject(violation.name, contract)} is still a placeholder`,
        remedies: [...correct(violation.name), ...whereToGet([violation.name], contract)],
      };
  }
}

function areIs(names: readonly string[]): string {
  return names.length === 1 ? "is" : "are";
}

function noneSet({ kind, label, names }: GroupRule, contract: Contract): string {
  const first = preferred(names, contract) ?? "";
  if (names.length === 1) return `${printable(label)}: ${first} is required and not set`;
  const required = `${printable(label)}: ${QUANTITIES[kind]} of ${enumerate(names)} is required, and none is set`;
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
