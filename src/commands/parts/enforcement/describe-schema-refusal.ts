/**
 * Describes a change that ESC refuses because of the schema in an environment (`sophia-run enforce`): one line for each
 * variable and for each rule. No line contains a value.
 */
import { sortFindings, violationsOfFindings } from "../../../contract/esc-schema/schema-findings.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { namesOfViolation } from "../../../contract/check-contract.ts";
import { describeViolations } from "../../../contract/violation-wording.ts";
import type { Diagnostic } from "../../../core/model.ts";

/**
 * Returns the lines for the diagnostics of ESC. What the contract explains has the text that `check` prints for it; the rest
 * is described as a rule of the schema, which may come from another contract.
 */
export function describeSchemaRefusal(diagnostics: readonly Diagnostic[], contract: Contract): readonly string[] {
  const findings = sortFindings(diagnostics);
  const violations = violationsOfFindings(contract, findings);
  const descriptions = describeViolations(violations, contract, { target: { kind: "local" }, present: [] });
  const describedNames = new Set(violations.flatMap(namesOfViolation));
  // If a rule over several variables is unmet, a missing name may be only one of those that the rule accepts.
  const requiredNames = findings.isRuleUnmet ? [] : findings.missing.filter((name) => !describedNames.has(name));
  const isRuleDescribed = violations.some(({ kind }) => kind === "none-set" || kind === "missing-when");
  return [
    ...descriptions.map(({ message }) => message),
    ...requiredNames.map((name) => `${name} is required by the schema in ESC and not set`),
    ...(findings.isRuleUnmet && !isRuleDescribed ? ["a rule of the schema over several variables is not met"] : []),
  ];
}
