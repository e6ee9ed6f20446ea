/** The values that an environment has now, judged by the contract. Pure. */
import { applyContract } from "../../contract/apply.ts";
import { checkContract, namesOfViolation } from "../../contract/check-contract.ts";
import type { Contract, Violation } from "../../contract/contract-model.ts";
import { formatCheck } from "../../contract/format.ts";
import type { Resolution } from "../../core/model.ts";
import type { EnvironmentState } from "../../esc/api/change.ts";
import { resolveLayers } from "../../resolve/precedence.ts";
import { unlessUnseen } from "../../resolve/rejected-values.ts";

/**
 * Returns the violations of the rules that are enforced. Rules about a variable that is not enforced do not count.
 * @throws SophiaError (contract-slow, 125)
 */
export function presentViolations(
  contract: Contract,
  isEnforced: (name: string) => boolean,
  { opened, hidden = new Map() }: EnvironmentState,
): { readonly violations: readonly Violation[]; readonly selected: Resolution } {
  const { layers } = applyContract(contract, [{ source: "esc", variables: [...opened.variables, ...hidden.values()] }]);
  const isDeclared = (one: string): boolean => contract.variables.has(one) || contract.aliases.has(one);
  const selected = resolveLayers(layers, isDeclared);
  const found = checkContract(contract, selected, unlessUnseen(formatCheck()));
  return { violations: found.filter((violation) => namesOf(violation).every(isEnforced)), selected };
}

function namesOf(violation: Violation): readonly string[] {
  if (violation.kind === "missing-when") return [violation.name, violation.when.name];
  return namesOfViolation(violation);
}
