/** The violations of a contract in words, as all commands tell them. */
import type { Contract, Violation } from "../contract/model.ts";
import { remedyLines, sharedRemedy, type Target } from "../contract/remedies.ts";
import { describeViolations, type Wording, type WordingContext } from "../contract/wording.ts";
import { wrap } from "../core/lines.ts";
import { count } from "../core/text.ts";
import type { Resolution } from "../core/model.ts";
import type { Assessment, EscStatus } from "../resolve/assessment.ts";
import { withheldWords } from "../resolve/withheld.ts";

export interface ViolationReport {
  /** The kind of the violation: a stable token. */
  readonly kind: string;
  readonly names: readonly string[];
  readonly message: string;
  readonly remedies: readonly string[];
}

/** Violations of an assessment in words. */
export function wordViolations(violations: readonly Violation[], assessment: Assessment): readonly Wording[] {
  const { contract, esc, resolution, selected } = assessment;
  const context: WordingContext = {
    // What is withheld may be misspelt all the same.
    present: [...resolution.keys()],
    origins: selected,
    target: targetOf(esc),
    withheld: withheldWords(assessment),
  };
  return describeViolations(violations, contract, context);
}

/** Where a missing value is to be set. */
function targetOf(esc: EscStatus): Target {
  const last = esc.kind === "read" ? esc.environments.at(-1) : undefined;
  if (last !== undefined) return { kind: "esc", environment: last.name };
  return { kind: esc.kind === "refused" ? "environment" : "local" };
}

/**
 * The violations of one ESC environment by itself; `told` are the lines for people, with one remedy for all.
 *
 * @param escEnvironment `org/project/name`
 */
export function reportViolations(
  violations: readonly Violation[],
  contract: Contract,
  selected: Resolution,
  escEnvironment: string,
): { readonly violations: readonly ViolationReport[]; readonly told: readonly string[] } {
  const target: Target = { kind: "esc", environment: escEnvironment };
  const context: WordingContext = { present: [...selected.keys()], origins: selected, target };
  const wordings = describeViolations(violations, contract, context);
  const shown = wordings.slice(0, MOST_TOLD);
  const lines = [
    ...shown.flatMap(({ message, advice }) => [`❌ ${message}`, ...advice.map((one) => `   ${one}`)]),
    ...(shown.length < wordings.length ? [`and ${count(wordings.length - shown.length, "violation")} more`] : []),
    ...sharedRemedy(
      shown.flatMap(({ supply }) => supply),
      WIDTH,
    ),
  ];
  return { violations: wordings.map(reportViolation), told: lines.flatMap((line) => wrap(line, WIDTH, "   ")) };
}

const WIDTH = 80;
/** Of more violations than these people are told the number. */
export const MOST_TOLD = 50;

export function reportViolation(wording: Wording): ViolationReport {
  const { violation, message } = wording;
  const names = "name" in violation ? [violation.name] : violation.rule.names;
  return { kind: violation.kind, names, message, remedies: remedyLines(wording) };
}
