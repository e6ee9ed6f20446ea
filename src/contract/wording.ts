/** Violations in words: what is wrong and what to do; pure, without values. */
import { unreachable } from "../error.ts";
import { enumerate, printable } from "../text.ts";
import { suggest } from "./suggest.ts";
import { faultWords } from "./words.ts";
import type { Condition, Contract, Declaration, Violation } from "./model.ts";

/** What the wording may know of the run. */
export interface WordingContext {
  /** The ESC environment that serves, as `org/project/name`; absent where ESC is not configured. */
  readonly escEnvironment?: string;
  /** The names of all variables that any source gives, for 'did you mean'. */
  readonly present: readonly string[];
}

/** One violation in words; each remedy is a line that can be acted on, most to the point first. */
export interface Wording {
  readonly message: string;
  readonly remedies: readonly string[];
}

/** Says what is wrong and what to do about it. Never holds a value. */
export function describeViolation(violation: Violation, contract: Contract, context: WordingContext): Wording {
  switch (violation.kind) {
    case "missing":
      return {
        message: `${subject(violation.name, contract)} is required and not set`,
        remedies: supply([violation.name], contract, context),
      };
    case "missing-when":
      return {
        message: `${subject(violation.name, contract)} is required because ${conditionWords(violation.when)}, and is not set`,
        remedies: supply([violation.name], contract, context),
      };
    case "none-set":
      return {
        message: `${printable(violation.rule.label)}: ${noneSet(violation.rule.kind)} ${enumerate(violation.rule.names)} must be set, and none is`,
        remedies: supply(violation.rule.names, contract, context),
      };
    case "several-set":
      return {
        message: `${printable(violation.rule.label)}: only one of ${enumerate(violation.rule.names)} may be set, and ${enumerate(violation.set)} are`,
        remedies: [`unset all but one of ${enumerate(violation.set)}`],
      };
    case "some-missing":
      return {
        message: `${printable(violation.rule.label)}: ${enumerate(violation.rule.names)} must be set together; ${enumerate(violation.missing)} ${violation.missing.length === 1 ? "is" : "are"} not`,
        remedies: supply(violation.missing, contract, context),
      };
    case "malformed":
      return {
        message: `${subject(violation.name, contract)} ${faultWords(violation.fault)}`,
        remedies: supply([violation.name], contract, context),
      };
    case "placeholder":
      return {
        message: `${subject(violation.name, contract)} is still a placeholder`,
        remedies: supply([violation.name], contract, context),
      };
    default:
      return unreachable(violation);
  }
}

function noneSet(kind: string): string {
  return kind === "exactly-one" ? "exactly one of" : "at least one of";
}

function subject(name: string, contract: Contract): string {
  const label = contract.variables.get(name)?.label;
  return label === undefined || label === name ? name : `${name} (${printable(label)})`;
}

function conditionWords({ name, equals }: Condition): string {
  return equals === undefined ? `${name} is set` : `${name} is ${equals.map((value) => printable(value)).join(" or ")}`;
}

function supply(names: readonly string[], contract: Contract, context: WordingContext): readonly string[] {
  const remedies: string[] = [];
  for (const name of names) {
    const meant = suggest(
      name,
      context.present.filter((other) => !contract.variables.has(other)),
    );
    if (meant !== undefined) remedies.push(`did you mean ${name}? ${printable(meant)} is set`);
  }
  const first = names[0];
  const declaration = first === undefined ? undefined : contract.variables.get(first);
  if (declaration === undefined) return remedies;
  return [...remedies, ...setLines(declaration, context)];
}

function setLines({ name, secret }: Declaration, { escEnvironment }: WordingContext): readonly string[] {
  if (escEnvironment === undefined) return [`set it in the environment, or in .env: ${name}=<value>`];
  const environment = printable(escEnvironment.replace(/@.*$/, ""));
  const tail = `env set ${environment} environmentVariables.${name} <value>${secret ? " --secret" : ""}`;
  return [`esc ${tail}`, `pulumi ${tail}`];
}
