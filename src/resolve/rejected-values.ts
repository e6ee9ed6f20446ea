/** The verdict on values that ESC does not give out because a schema refuses them. Loaded only for them. */
import { checkContract, declarationOf, namesOfViolation } from "../contract/check-contract.ts";
import { sortFindings, violationsOfFindings } from "../contract/esc-schema/schema-findings.ts";
import type { Contract, FormatCheck, Violation } from "../contract/contract-model.ts";
import { formatCheck } from "../contract/format.ts";
import type { Failure, Resolved, Variable } from "../core/model.ts";
import { UNSEEN } from "../esc/api/evaluate.ts";
import type { RejectedValues } from "../sources/esc-failure.ts";
import { requiredEscError } from "./open-store.ts";
import { resolveValues } from "./resolve-values.ts";
import type { Start, Values } from "./start.ts";

/**
 * Returns the violations that a check of the opened values would find, as far as they are known, and those that ESC has found;
 * undefined if there are none, since the unmet rule is about values that the token does not see.
 *
 * @throws SophiaError (contract-slow, 125; `failure`, 125, if there are none and ESC is required)
 */
export async function judgeRejected(
  start: Omit<Start, "verdict">,
  rejected: RejectedValues,
  failure: Failure,
): Promise<{ readonly violations: readonly Violation[]; readonly judged: Values } | undefined> {
  const { contract } = start.files;
  const { layers, isComplete } = rejected;
  const judged = await resolveValues({ ...start, store: { ...start.store, layers } });
  const checked = checkContract(judged.required, judged.selected, unlessUnseen(formatCheck()));
  // Without all names of ESC, a variable that no other source sets need not be missing.
  const known = checked.filter(
    ({ kind }) => isComplete || kind === "malformed" || kind === "placeholder" || kind === "reference",
  );
  const named = new Set(known.flatMap(namesOfViolation));
  const found = violationsOfFindings(contract, sortFindings(rejected.findings)).filter(
    (violation) => !namesOfViolation(violation).some((name) => named.has(name)),
  );
  if (known.length + found.length === 0) {
    if (start.settings.requireEsc) throw requiredEscError(failure);
    return undefined;
  }
  // The value that ESC refuses may have been overridden by another source: the remedy is about that of ESC.
  const selected = new Map(judged.selected);
  for (const violation of found) {
    if (violation.kind !== "malformed" && violation.kind !== "refused") continue;
    const variable = ofEsc(violation.name, contract, judged);
    if (variable !== undefined) selected.set(violation.name, variable);
  }
  return { violations: [...known, ...found], judged: { ...judged, selected } };
}

function ofEsc(name: string, contract: Contract, { layers }: Values): Resolved | undefined {
  const isNamed = (one: Variable): boolean =>
    one.origin.source === "esc" && (declarationOf(contract, one.name)?.name ?? one.name) === name;
  for (const { variables } of layers) {
    const variable = variables.find(isNamed);
    if (variable !== undefined) return variable;
  }
  return undefined;
}

/** Returns a check that accepts what the token does not see. */
export function unlessUnseen(check: FormatCheck): FormatCheck {
  return (format, value, name) => (value === UNSEEN ? undefined : check(format, value, name));
}
