/**
 * Compares ESC environments for `sophia-run check --against dev,prod`: which variables each of them sets, and which rules of the
 * contract it breaks. The environments are evaluated but not opened, so the values of secrets and of providers are not known here.
 * Only what is certain in spite of that is reported as a violation. This file has no side effects.
 */
import { applyContract } from "../../contract/apply.ts";
import { checkContract, isDeclared } from "../../contract/check-contract.ts";
import { createFormatCheck } from "../../contract/format.ts";
import type { SetCommandInput } from "../../contract/remedies.ts";
import type { Contract, CheckedViolation } from "../../contract/contract-model.ts";
import type { EvaluatedVariable, EvaluatedEnvironment } from "../../esc/api/evaluate.ts";
import { formatName } from "../../esc/settings/environment-names.ts";
import type { Layer, Resolution, Variable } from "../../core/model.ts";
import { reportContract } from "../../output/report.ts";
import { isAboutWrongValue, reportViolations } from "../../output/violations.ts";
import { resolveLayers } from "../../resolve/precedence.ts";
import { isOwnVariable } from "../../resolve/reserved-names.ts";
import { isHidden } from "../../resolve/secret-values.ts";
import { printable } from "../../core/text.ts";

/** The state of a variable in an environment; comparison-text.ts has an explanation of each. A value that is not known may be invalid. */
export type ComparisonState =
  | ("set" | "value-not-known" | "invalid" | "default")
  | ("empty" | "not-a-variable" | "missing" | "not-known");

export interface ComparisonRow {
  readonly name: string;
  readonly declared: boolean;
  readonly secret: boolean;
  /** The state in each environment, in the order of `environments`. */
  readonly states: readonly ComparisonState[];
  /** True if the variable is set in one environment and missing in another. */
  readonly drift: boolean;
}

export type Comparison = ReturnType<typeof compareEnvironments>;
export type ComparedEnvironment = Comparison["environments"][number];

/** Stands for an unknown value. No real value is equal to it, because environment variables cannot contain a zero byte. */
const UNKNOWN_VALUE = "\0";

/**
 * Checks each environment, and compares which variables they set.
 *
 * @param strict true if drift makes the comparison fail (`--strict`)
 * @param offer what a remedy may propose to set a variable
 * @param contractFile the contract as the user named it, for remedies
 */
export function compareEnvironments(
  contract: Contract,
  environments: readonly EvaluatedEnvironment[],
  strict: boolean,
  offer: SetCommandInput,
  contractFile?: string,
) {
  const isDeclaredName = (name: string): boolean => isDeclared(contract, name);
  const checkedEnvironments = environments.map((environment) => {
    const { layers } = applyContract(contract, [layerOf(environment)]);
    const resolution = resolveLayers(layers.map(withoutOwnVariables), isDeclaredName);
    const violations = checkContract(contract, resolution, createFormatCheck()).filter((violation) =>
      isCertain(violation, resolution, environment),
    );
    const invalidNames = violations.filter(isAboutWrongValue).map(({ name }) => name);
    return { environment, resolution, violations, invalid: new Set(invalidNames) };
  });
  const createRow = (name: string): ComparisonRow => {
    const states = checkedEnvironments.map((checked) => stateOf(name, checked));
    return {
      name: printable(name),
      declared: contract.variables.has(name),
      secret: checkedEnvironments.some(({ resolution }) => {
        const resolved = resolution.get(name);
        return resolved === undefined ? contract.variables.get(name)?.secret === true : isHidden(contract, resolved);
      }),
      states,
      drift: states.some(isPresent) && states.some(isAbsent),
    };
  };
  // If the contract has a scope, a start passes no undeclared variables on, so their drift has no effect.
  const undeclaredNames = new Set(
    contract.scope === undefined
      ? environments.flatMap(({ variables }) => [...variables.keys()].filter((name) => !isDeclaredName(name)))
      : [],
  );
  const rows = [
    ...Array.from(contract.variables.keys(), createRow),
    ...Array.from(undeclaredNames)
      .toSorted()
      .map(createRow)
      .filter(({ drift }) => drift),
  ];
  const reports = checkedEnvironments.map(({ environment, resolution, violations }) => {
    const name = formatName(environment.name);
    const { version } = environment.name;
    return { name, version, ...reportViolations(violations, contract, resolution, name, offer, contractFile) };
  });
  const met = reports.every(({ violations }) => violations.length === 0);
  const drift = rows.some((row) => row.drift);
  return {
    contract: reportContract(contract),
    environments: reports,
    /** Declared variables in the order of the contract, then undeclared ones with drift, by name. */
    rows,
    /** True if no environment certainly breaks a rule of the contract. */
    met,
    drift,
    strict,
    passed: met && !(strict && drift),
  };
}

/** An environment, which is a column of the table, with the result of its check. */
interface CheckedEnvironment {
  readonly environment: EvaluatedEnvironment;
  /** The variables with the contract's defaults. */
  readonly resolution: Resolution;
  readonly violations: readonly CheckedViolation[];
  /** The variables whose value certainly breaks a rule. */
  readonly invalid: ReadonlySet<string>;
}

/** Returns the variables of an environment, in the form in which a start combines sources by precedence. */
function layerOf({ name, variables }: EvaluatedEnvironment): Layer {
  const environment = formatName(name);
  const toVariables = (key: string, evaluated: EvaluatedVariable): readonly Variable[] => {
    if (evaluated.kind === "known") return [evaluated.variable];
    if (evaluated.kind === "list-or-object") return [];
    const { secret, delivery } = evaluated;
    return [{ name: key, value: UNKNOWN_VALUE, secret, delivery, origin: { source: "esc", environment } }];
  };
  return { source: "esc", variables: [...variables].flatMap(([key, evaluated]) => toVariables(key, evaluated)) };
}

/** Returns the layer without sophia-run's own variables, which no start takes from ESC or from the contract. */
function withoutOwnVariables(layer: Layer): Layer {
  return { ...layer, variables: layer.variables.filter(({ name }) => !isOwnVariable(name)) };
}

/**
 * Returns true for a violation that neither an unknown value nor the process environment of a start could remedy. An environment is
 * `open` if providers may set variables whose names are not known, so nothing is certainly missing in it.
 */
function isCertain(violation: CheckedViolation, resolution: Resolution, { isPartial }: EvaluatedEnvironment): boolean {
  switch (violation.kind) {
    case "malformed":
    case "placeholder":
    case "reference":
      return resolution.get(violation.name)?.value !== UNKNOWN_VALUE;
    case "several-set":
      return true;
    case "missing":
    case "missing-when":
      return !isPartial && !isOwnVariable(violation.name);
    case "none-set":
    case "some-missing":
      return !isPartial && !violation.rule.names.some(isOwnVariable);
  }
}

function stateOf(name: string, { environment, resolution, invalid }: CheckedEnvironment): ComparisonState {
  const resolved = resolution.get(name);
  if (resolved?.origin.source === "esc") {
    if (resolved.value === UNKNOWN_VALUE) return "value-not-known";
    return invalid.has(name) ? "invalid" : "set";
  }
  if (environment.isPartial) return "not-known";
  if (resolved !== undefined) return "default";
  const evaluated = environment.variables.get(name);
  if (evaluated === undefined || isOwnVariable(name)) return "missing";
  return evaluated.kind === "list-or-object" ? "not-a-variable" : "empty";
}

function isPresent(state: ComparisonState): boolean {
  return state === "set" || state === "value-not-known" || state === "invalid";
}

function isAbsent(state: ComparisonState): boolean {
  return state === "missing" || state === "empty" || state === "not-a-variable";
}
