/**
 * Checks the values that an environment has now against the contract, before `sophia-run enforce` writes a schema for them. This
 * file has no side effects.
 */
import { applyContract } from "../../contract/apply.ts";
import { checkContract, namesOfViolation } from "../../contract/check-contract.ts";
import type { Contract, Violation } from "../../contract/contract-model.ts";
import { createFormatCheck } from "../../contract/format.ts";
import type { Resolution } from "../../core/model.ts";
import type { EnvironmentState } from "../../esc/api/change.ts";
import { resolveLayers } from "../../resolve/precedence.ts";
import { unlessUnseen } from "../../resolve/rejected-values.ts";

/**
 * Returns the violations of the rules that the schema has. A rule about a variable that the user excludes from the schema is not
 * one of them.
 *
 * @throws SophiaError (contract-slow, 125)
 */
export function findPresentViolations(
  contract: Contract,
  isEnforced: (name: string) => boolean,
  { opened, hidden = new Map() }: EnvironmentState,
): { readonly violations: readonly Violation[]; readonly selected: Resolution } {
  const variables = [...opened.variables, ...hidden.values()];
  const { layers } = applyContract(contract, [{ source: "esc", variables }]);
  const isDeclared = (name: string): boolean => contract.variables.has(name) || contract.aliases.has(name);
  const selected = resolveLayers(layers, isDeclared);
  const violations = checkContract(contract, selected, unlessUnseen(createFormatCheck()));
  return { violations: violations.filter((violation) => listNamesInRule(violation).every(isEnforced)), selected };
}

/** Returns all names that the rule is about, also that of a condition (`required when`). */
function listNamesInRule(violation: Violation): readonly string[] {
  if (violation.kind === "missing-when") return [violation.name, violation.when.name];
  return namesOfViolation(violation);
}
