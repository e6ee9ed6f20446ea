/**
 * Decides whether the values meet the contract if ESC does not return its values, because a schema in ESC refuses one of them. ESC then
 * reports findings, and the names and values that the token may see. reach-verdict.ts loads this file only in this case.
 */
import { checkContract, declarationOf, namesOfViolation } from "../contract/check-contract.ts";
import { sortFindings, deriveViolations } from "../contract/esc-schema/schema-findings.ts";
import type { Contract, FormatCheck, Violation } from "../contract/contract-model.ts";
import { createFormatCheck } from "../contract/format.ts";
import type { Failure, Resolution, ResolvedVariable, Variable } from "../core/model.ts";
import { UNSEEN } from "../esc/api/evaluate.ts";
import type { RejectedValues } from "../sources/esc-failure.ts";
import { requiredEscError } from "./open-store.ts";
import { resolveValues } from "./resolve-values.ts";
import type { Start, Values } from "./start.ts";

/**
 * Returns the violations that this process finds in the known values, and those that ESC has found. Returns undefined if there are
 * none, because the rule that is not met is about values that the token does not see.
 *
 * @param failure is thrown if there are no violations and ESC is required
 * @throws SophiaError (125) contract-slow if a pattern takes too long; the code of `failure`
 */
export async function judgeRejectedValues(
  start: Omit<Start, "verdict">,
  rejected: RejectedValues,
  failure: Failure,
): Promise<{ readonly violations: readonly Violation[]; readonly judged: Values } | undefined> {
  const { contract } = start.files;
  const { layers, isComplete } = rejected;
  const judged = await resolveValues({ ...start, store: { ...start.store, layers } });
  const checked = checkContract(judged.checkedContract, judged.selected, unlessUnseen(createFormatCheck()));
  // If some names of ESC are unknown, a variable that no other source sets may be one of these. Only wrong values are certain.
  const certainViolations = checked.filter(
    ({ kind }) => isComplete || kind === "malformed" || kind === "placeholder" || kind === "reference",
  );
  const reportedNames = new Set(certainViolations.flatMap(namesOfViolation));
  const escViolations = deriveViolations(contract, sortFindings(rejected.findings)).filter(
    (violation) => !namesOfViolation(violation).some((name) => reportedNames.has(name)),
  );
  if (certainViolations.length + escViolations.length === 0) {
    if (start.settings.requireEsc) throw requiredEscError(failure);
    return undefined;
  }
  const selected = selectRefusedValues(judged, escViolations, contract);
  return { violations: [...certainViolations, ...escViolations], judged: { ...judged, selected } };
}

/**
 * Returns the selected variables, with the values of ESC for those that ESC refuses. Another source may override such a value, but the
 * verdict is about the value in ESC, so that the remedy names it.
 */
function selectRefusedValues(judged: Values, escViolations: readonly Violation[], contract: Contract): Resolution {
  const selected = new Map(judged.selected);
  for (const violation of escViolations) {
    if (violation.kind !== "malformed" && violation.kind !== "refused") continue;
    const variable = findVariableOfEsc(violation.name, contract, judged);
    if (variable !== undefined) selected.set(violation.name, variable);
  }
  return selected;
}

/** Finds the variable of ESC by its declared name; ESC may use an alias of it. */
function findVariableOfEsc(name: string, contract: Contract, { layers }: Values): ResolvedVariable | undefined {
  const isWanted = (variable: Variable): boolean =>
    variable.origin.source === "esc" && (declarationOf(contract, variable.name)?.name ?? variable.name) === name;
  for (const { variables } of layers) {
    const variable = variables.find(isWanted);
    if (variable !== undefined) return variable;
  }
  return undefined;
}

/** Returns a check of formats that accepts any value that the token does not see. */
export function unlessUnseen(check: FormatCheck): FormatCheck {
  return (format, value, name) => (value === UNSEEN ? undefined : check(format, value, name));
}
