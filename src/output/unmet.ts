import type { Assessment } from "../resolve/assessment.ts";
import type { Failure } from "../core/model.ts";
import { further, workLocally } from "./notices.ts";
import { reportAssessed } from "./report.ts";
import { count, printable } from "../core/text.ts";

/** What serves while ESC does not: the remedies above it write to ESC. */
const UNTIL_THEN = "until then set what is missing in the environment or in .env";

/** Words a contract that is not met: every violation with its remedies and, if it may be the cause, ESC's fault. */
export function wordUnmet(assessment: Assessment, consequence: string): Failure {
  const { esc } = assessment;
  const violations = reportAssessed(assessment);
  const lines = violations.flatMap(({ message, remedies }) => [`✗ ${message}`, ...remedies.map((one) => `    ${one}`)]);
  if (esc.kind === "unavailable" || esc.kind === "refused") {
    const meanwhile = esc.kind === "refused" ? workLocally(esc.settings) : UNTIL_THEN;
    lines.push(`✗ ${esc.failure.message}`, ...[...further(esc.failure), meanwhile].map((one) => `    ${one}`));
  }
  return {
    code: "contract-unmet",
    message: `the contract is not met (${count(violations.length, "violation")}); ${printable(consequence)}`,
    details: lines,
    hint: "sophia-run check shows the whole configuration; --no-contract launches anyway",
  };
}
