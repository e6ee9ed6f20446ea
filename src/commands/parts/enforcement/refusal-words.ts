/** Words a change that ESC refuses by a schema: one line for each variable and for each rule. No line has a value. */
import { sortFindings, violationsOfFindings } from "../../../contract/esc-schema/schema-findings.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { namesOfViolation } from "../../../contract/check-contract.ts";
import { describeViolations } from "../../../contract/violation-wording.ts";
import type { Diagnostic } from "../../../core/model.ts";

/** Returns the lines, in the words of `check` as far as the contract explains what ESC finds. */
export function refusalWords(diagnostics: readonly Diagnostic[], contract: Contract): readonly string[] {
  const findings = sortFindings(diagnostics);
  const violations = violationsOfFindings(contract, findings);
  const wordings = describeViolations(violations, contract, { target: { kind: "local" }, present: [] });
  const isOfRule = violations.some(({ kind }) => kind === "none-set" || kind === "missing-when");
  const isRuleUnworded = findings.isRuleUnmet && !isOfRule;
  const named = new Set(violations.flatMap(namesOfViolation));
  // A name may be one of several that a rule accepts.
  const others = findings.isRuleUnmet ? [] : findings.missing.filter((name) => !named.has(name));
  return [
    ...wordings.map(({ message }) => message),
    ...others.map((name) => `${name} is required by the schema in ESC and not set`),
    ...(isRuleUnworded ? ["a rule of the schema over several variables is not met"] : []),
  ];
}
