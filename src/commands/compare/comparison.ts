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
import { type ContractReport, reportContract } from "../../output/report.ts";
import { isAboutWrongValue, reportViolations } from "../../output/violations.ts";
import { resolveLayers } from "../../resolve/precedence.ts";
import { isOwnVariable } from "../../resolve/reserved-names.ts";
import { isHidden } from "../../resolve/secret-values.ts";
import { printable } from "../../core/text.ts";

/** The state of a variable in an environment. comparison-text.ts explains each state to the user. */
export type ComparisonState =
  /** The environment sets the variable. A `value-not-known` is a secret or made by a provider, and may be invalid. */
  | ("set" | "value-not-known" | "invalid")
  /** The environment does not set the variable, and the contract has a default for it. */
  | "default"
  /** The environment has no usable value: it defines an empty text, a list or an object, or nothing. */
  | ("empty" | "not-a-variable" | "missing")
  /** A provider may set the variable, which is only known once the environment is opened. */
  | "not-known";

/** One variable in all environments: a row of the table. */
export interface ComparisonRow {
  readonly name: string;
  readonly isDeclared: boolean;
  readonly isSecret: boolean;
  /** The state in each environment, in the order of `environments`. */
  readonly states: readonly ComparisonState[];
  /** True if the variable is set in one environment and missing in another. */
  readonly hasDrift: boolean;
}

/** One environment with its violations: a column of the table. */
export interface ComparedEnvironment extends ReturnType<typeof reportViolations> {
  /** The full name, `organization/project/environment`. */
  readonly name: string;
  readonly version: string | undefined;
}

export interface Comparison {
  readonly contract: ContractReport;
  readonly environments: readonly ComparedEnvironment[];
  /** Declared variables in the order of the contract, then undeclared ones with drift, by name. */
  readonly rows: readonly ComparisonRow[];
  /** True if no environment certainly breaks a rule of the contract. */
  readonly isMet: boolean;
  readonly hasDrift: boolean;
  /** True if drift makes the comparison fail (`--strict`). */
  readonly isStrict: boolean;
  readonly hasPassed: boolean;
}

interface ComparisonOptions {
  /** True if drift makes the comparison fail (`--strict`). */
  readonly isStrict: boolean;
  /** The proposals of a remedy for setting a variable. */
  readonly offer: SetCommandInput;
  /** The contract as the user named it, for remedies. */
  readonly contractFile: string | undefined;
}

/** Stands for an unknown value. No real value is equal to it, because environment variables cannot contain a zero byte. */
const UNKNOWN_VALUE = "\0";

/** Checks each environment against the contract, and compares which variables the environments set. */
export function compareEnvironments(
  contract: Contract,
  environments: readonly EvaluatedEnvironment[],
  { isStrict, offer, contractFile }: ComparisonOptions,
): Comparison {
  const checkedEnvironments = environments.map((environment) => checkEnvironment(contract, environment));
  const rows = createRows(contract, checkedEnvironments);
  const comparedEnvironments = checkedEnvironments.map(({ environment, resolution, violations }) => {
    const name = formatName(environment.name);
    const { version } = environment.name;
    return { name, version, ...reportViolations(violations, contract, resolution, name, offer, contractFile) };
  });
  const isMet = comparedEnvironments.every(({ violations }) => violations.length === 0);
  const hasDrift = rows.some((row) => row.hasDrift);
  return {
    contract: reportContract(contract),
    environments: comparedEnvironments,
    rows,
    isMet,
    hasDrift,
    isStrict,
    hasPassed: isMet && !(isStrict && hasDrift),
  };
}

/** An environment with the result of its check. */
interface CheckedEnvironment {
  readonly environment: EvaluatedEnvironment;
  /** The variables with the contract's defaults. */
  readonly resolution: Resolution;
  readonly violations: readonly CheckedViolation[];
  /** The variables whose value certainly breaks a rule. */
  readonly invalidNames: ReadonlySet<string>;
}

/** Resolves the variables of an environment as a start would, and finds the violations that are certain. */
function checkEnvironment(contract: Contract, environment: EvaluatedEnvironment): CheckedEnvironment {
  const { layers } = applyContract(contract, [createLayer(environment)]);
  const resolution = resolveLayers(layers.map(withoutOwnVariables), (name) => isDeclared(contract, name));
  const violations = checkContract(contract, resolution, createFormatCheck()).filter((violation) =>
    isCertain(violation, resolution, environment),
  );
  const invalidNames = new Set(violations.filter(isAboutWrongValue).map(({ name }) => name));
  return { environment, resolution, violations, invalidNames };
}

/** Returns the variables of an environment, in the form in which a start combines sources by precedence. */
function createLayer({ name, variables }: EvaluatedEnvironment): Layer {
  const environment = formatName(name);
  const toVariables = (variableName: string, evaluated: EvaluatedVariable): readonly Variable[] => {
    if (evaluated.kind === "known") return [evaluated.variable];
    if (evaluated.kind === "list-or-object") return [];
    const { secret, delivery } = evaluated;
    return [{ name: variableName, value: UNKNOWN_VALUE, secret, delivery, origin: { source: "esc", environment } }];
  };
  return {
    source: "esc",
    variables: [...variables].flatMap(([variableName, evaluated]) => toVariables(variableName, evaluated)),
  };
}

/** Returns the layer without sophia-run's own variables, which no start takes from ESC or from the contract. */
function withoutOwnVariables(layer: Layer): Layer {
  return { ...layer, variables: layer.variables.filter(({ name }) => !isOwnVariable(name)) };
}

/**
 * Returns true for a violation that neither an unknown value nor the process environment of a start could remedy. Nothing is
 * certainly missing in an environment that is only partly known (`isPartial`), because its providers may set any variable.
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

/** Returns a row for each declared variable, and then for each undeclared variable with drift. */
function createRows(contract: Contract, environments: readonly CheckedEnvironment[]): readonly ComparisonRow[] {
  const declaredRows = Array.from(contract.variables.keys(), (name) => createRow(name, contract, environments));
  const undeclaredRows = findUndeclaredNames(contract, environments).map((name) =>
    createRow(name, contract, environments),
  );
  return [...declaredRows, ...undeclaredRows.filter(({ hasDrift }) => hasDrift)];
}

/** Returns the sorted names of the variables that an environment has and the contract does not declare. */
function findUndeclaredNames(contract: Contract, environments: readonly CheckedEnvironment[]): readonly string[] {
  // If the contract has a scope, a start passes no undeclared variables on, so their drift has no effect.
  if (contract.scope !== undefined) return [];
  const names = new Set(environments.flatMap(({ environment }) => [...environment.variables.keys()]));
  return [...names].filter((name) => !isDeclared(contract, name)).toSorted();
}

function createRow(name: string, contract: Contract, environments: readonly CheckedEnvironment[]): ComparisonRow {
  const states = environments.map((environment) => findState(name, environment));
  return {
    name: printable(name),
    isDeclared: contract.variables.has(name),
    isSecret: environments.some(({ resolution }) => isSecretIn(resolution, name, contract)),
    states,
    hasDrift: states.some(isPresent) && states.some(isAbsent),
  };
}

function isSecretIn(resolution: Resolution, name: string, contract: Contract): boolean {
  const resolved = resolution.get(name);
  return resolved === undefined ? contract.variables.get(name)?.secret === true : isHidden(contract, resolved);
}

/** Returns the state of a variable in one environment. The value from ESC decides, if there is one that a start would use. */
function findState(name: string, { environment, resolution, invalidNames }: CheckedEnvironment): ComparisonState {
  const resolved = resolution.get(name);
  if (resolved?.origin.source === "esc") {
    if (resolved.value === UNKNOWN_VALUE) return "value-not-known";
    return invalidNames.has(name) ? "invalid" : "set";
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
