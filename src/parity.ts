/** Which environment has which variable, without values; pure. */
import { isDeclared } from "./contract/check.ts";
import { formatFault } from "./contract/format.ts";
import type { Contract } from "./contract/model.ts";
import { isPlaceholder } from "./contract/placeholder.ts";
import type { Evaluated, EvaluatedEnvironment } from "./esc/evaluate.ts";
import { printable } from "./text.ts";

/**
 * - `set`: there, and its value is known.
 * - `value-unknown`: there; a secret or what a provider gives, so whether it is empty or valid cannot be known.
 * - `invalid`: there, but a placeholder, not of the declared format, or a list or an object.
 * - `missing`: not there, or empty though declared.
 * - `unknown`: a provider gives all variables at once, so whether it is there cannot be known.
 */
export type ParityState = "set" | "value-unknown" | "invalid" | "missing" | "unknown";

export interface ParityRow {
  readonly name: string;
  readonly declared: boolean;
  /** In the order of the environments. */
  readonly states: readonly ParityState[];
  /** Set in one environment and missing in another. */
  readonly drift: boolean;
}

export interface Parity {
  readonly environments: readonly string[];
  /** The contract's variables in its order, then the others by name. */
  readonly rows: readonly ParityRow[];
  /** Whether a declared variable drifts. */
  readonly drift: boolean;
}

/** Compares what the environments have. A declared variable may be set under any of its names. */
export function compareEnvironments(contract: Contract, environments: readonly EvaluatedEnvironment[]): Parity {
  const others = new Set(
    environments.flatMap(({ variables }) => [...variables.keys()].filter((name) => !isDeclared(contract, name))),
  );
  const rows = [...contract.variables.keys(), ...[...others].toSorted()].map((name): ParityRow => {
    const states = environments.map((environment) => stateIn(environment, name, contract));
    return {
      name: printable(name),
      declared: contract.variables.has(name),
      states,
      drift: states.includes("missing") && states.some((state) => state !== "missing" && state !== "unknown"),
    };
  });
  return {
    environments: environments.map(({ name }) => name),
    rows,
    drift: rows.some(({ declared, drift }) => declared && drift),
  };
}

function stateIn({ variables, open }: EvaluatedEnvironment, name: string, contract: Contract): ParityState {
  const names = [name, ...(contract.variables.get(name)?.aliases.map((alias) => alias.name) ?? [])];
  const states = names.map((one) => stateOf(variables.get(one), name, contract));
  const state = states.find((one) => one !== "missing") ?? "missing";
  return state === "missing" && open ? "unknown" : state;
}

function stateOf(evaluated: Evaluated | undefined, name: string, contract: Contract): ParityState {
  if (evaluated === undefined) return "missing";
  if (evaluated.kind === "unknown") return "value-unknown";
  if (evaluated.kind === "list-or-object") return "invalid";
  const declaration = contract.variables.get(name);
  if (declaration === undefined) return "set";
  if (evaluated.value === "") return "missing";
  const { format } = declaration;
  const isValid =
    !isPlaceholder(declaration, evaluated.value) &&
    (format === undefined || formatFault(format, evaluated.value) === undefined);
  return isValid ? "set" : "invalid";
}
