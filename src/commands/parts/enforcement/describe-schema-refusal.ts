/**
 * Describes why ESC refuses a change: `sophia-run enforce` has written a schema into the environment, and the new values do not
 * meet it. Commands that write to ESC print these lines. No line contains a value.
 */
import { sortFindings, deriveViolations } from "../../../contract/esc-schema/schema-findings.ts";
import type { Contract } from "../../../contract/contract-model.ts";
import { namesOfViolation } from "../../../contract/check-contract.ts";
import { describeViolations } from "../../../contract/violation-wording.ts";
import type { Diagnostic } from "../../../core/model.ts";

/**
 * Returns a line for each variable and each rule that the diagnostics of ESC are about. Violations of the contract have the text
 * that `check` prints for them. Anything else is described as a rule of the schema, which may come from another contract.
 */
export function describeSchemaRefusal(diagnostics: readonly Diagnostic[], contract: Contract): readonly string[] {
  const findings = sortFindings(diagnostics);
  const violations = deriveViolations(contract, findings);
  const descriptions = describeViolations(violations, contract, { defaultTarget: { kind: "local" }, presentNames: [] });
  const describedNames = new Set(violations.flatMap(namesOfViolation));
  // If a rule over several variables is unmet, a missing variable may be only one of those that the rule accepts.
  const requiredNames = findings.isRuleUnmet ? [] : findings.missing.filter((name) => !describedNames.has(name));
  const isRuleDescribed = violations.some(({ kind }) => kind === "none-set" || kind === "missing-when");
  return [
    ...descriptions.map(({ message }) => message),
    ...requiredNames.map((name) => `${name} is required by the schema in ESC and not set`),
    ...(findings.isRuleUnmet && !isRuleDescribed ? ["a rule of the schema over several variables is not met"] : []),
  ];
}
