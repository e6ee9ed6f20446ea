/** Environments side by side: variables and rules, without values; pure. */
import type { Line } from "../../core/lines.ts";
import { applyContract } from "../../contract/apply.ts";
import { checkContract, isDeclared } from "../../contract/check.ts";
import type { SetOffer } from "../../contract/remedies.ts";
import type { Contract, Violation } from "../../contract/model.ts";
import type { Evaluated, EvaluatedEnvironment } from "../../esc/api/evaluate.ts";
import { formatName } from "../../esc/settings/names.ts";
import type { Layer, Resolution, Variable } from "../../core/model.ts";
import { reportContract, type Report } from "../../output/report.ts";
import { reportViolations } from "../../output/violations.ts";
import { resolve } from "../../resolve/precedence.ts";
import { printable } from "../../core/text.ts";

/** The legend of the table says what each means. `value-not-known` may also be invalid or empty. */
export type ComparisonState =
  | ("set" | "value-not-known" | "invalid" | "default")
  | ("empty" | "not-a-variable" | "missing" | "not-known");

export interface ComparisonRow {
  readonly name: string;
  readonly declared: boolean;
  readonly secret: boolean;
  readonly states: readonly ComparisonState[];
  /** Set in one environment and missing in another. */
  readonly drift: boolean;
}

export interface ComparedEnvironment {
  readonly name: string;
  readonly version: string | undefined;
  /** Rules that it surely does not meet; what is not known counts as set and valid. */
  readonly violations: Report["violations"];
  /** The same in lines for people, with what to do. */
  readonly told: readonly Line[];
}

export interface Comparison {
  readonly contract: Report["contract"];
  readonly environments: readonly ComparedEnvironment[];
  /** The contract's variables in its order, then undeclared ones that drift, by name. */
  readonly rows: readonly ComparisonRow[];
  /** Whether no environment surely breaks a rule of the contract. */
  readonly met: boolean;
  readonly drift: boolean;
  readonly strict: boolean;
  /** `met` and, with `strict`, no drift. */
  readonly passed: boolean;
}

/** Stands for a value that is not known. No environment variable can hold it. */
const NOT_KNOWN = "\0";

/** Compares the environments, each with the contract's aliases and defaults. */
export function compareEnvironments(
  contract: Contract,
  environments: readonly EvaluatedEnvironment[],
  strict: boolean,
  offer?: SetOffer,
): Comparison {
  const declared = (name: string): boolean => isDeclared(contract, name);
  const columns = environments.map((environment) => {
    const { layers } = applyContract(contract, [layerOf(environment)]);
    const resolution = resolve(layers, declared);
    const violations = checkContract(contract, resolution).filter((one) => isSure(one, resolution, environment));
    const wrong = violations.flatMap((one) => (one.kind === "malformed" || one.kind === "placeholder" ? one.name : []));
    return { environment, resolution, violations, invalid: new Set(wrong) };
  });
  const row = (name: string): ComparisonRow => {
    const states = columns.map((column) => stateOf(name, column));
    return {
      name: printable(name),
      declared: contract.variables.has(name),
      secret:
        contract.variables.get(name)?.secret ?? columns.some(({ resolution }) => resolution.get(name)?.secret === true),
      states,
      drift: states.some(isPresent) && states.some(isAbsent),
    };
  };
  // With a scope no other variable reaches the program.
  const others = new Set(
    contract.scope === undefined
      ? environments.flatMap(({ variables }) => [...variables.keys()].filter((name) => !declared(name)))
      : [],
  );
  const rows = [
    ...Array.from(contract.variables.keys(), row),
    ...Array.from(others)
      .toSorted()
      .map(row)
      .filter(({ drift }) => drift),
  ];
  const reports = columns.map(({ environment, resolution, violations }) => {
    const name = formatName(environment.name);
    const { version } = environment.name;
    return { name, version, ...reportViolations(violations, contract, resolution, name, offer) };
  });
  const met = reports.every(({ violations }) => violations.length === 0);
  const drift = rows.some((one) => one.drift);
  const passed = met && !(strict && drift);
  return { contract: reportContract(contract), environments: reports, rows, met, drift, strict, passed };
}

interface Column {
  readonly environment: EvaluatedEnvironment;
  readonly resolution: Resolution;
  readonly violations: readonly Violation[];
  readonly invalid: ReadonlySet<string>;
}

/** The variables of an environment, with a mark in the place of values that are not known. */
function layerOf({ name, variables }: EvaluatedEnvironment): Layer {
  const environment = formatName(name);
  const asVariable = (key: string, evaluated: Evaluated): readonly Variable[] => {
    if (evaluated.kind === "known") return [evaluated.variable];
    if (evaluated.kind === "list-or-object") return [];
    const { secret, delivery } = evaluated;
    return [{ name: key, value: NOT_KNOWN, secret, delivery, origin: { source: "esc", environment } }];
  };
  return { source: "esc", variables: [...variables].flatMap(([key, evaluated]) => asVariable(key, evaluated)) };
}

/** Returns true for a violation that no unknown value can lift. */
function isSure(violation: Violation, resolution: Resolution, { open }: EvaluatedEnvironment): boolean {
  switch (violation.kind) {
    case "malformed":
    case "placeholder":
      return resolution.get(violation.name)?.value !== NOT_KNOWN;
    case "several-set":
      return true;
    case "missing":
    case "missing-when":
    case "none-set":
    case "some-missing":
      return !open;
  }
}

function stateOf(name: string, { environment, resolution, invalid }: Column): ComparisonState {
  const resolved = resolution.get(name);
  if (resolved?.origin.source === "esc") {
    if (resolved.value === NOT_KNOWN) return "value-not-known";
    return invalid.has(name) ? "invalid" : "set";
  }
  if (environment.open) return "not-known";
  if (resolved !== undefined) return "default";
  const evaluated = environment.variables.get(name);
  if (evaluated === undefined) return "missing";
  return evaluated.kind === "list-or-object" ? "not-a-variable" : "empty";
}

function isPresent(state: ComparisonState): boolean {
  return state === "set" || state === "value-not-known" || state === "invalid";
}

function isAbsent(state: ComparisonState): boolean {
  return state === "missing" || state === "empty" || state === "not-a-variable";
}
