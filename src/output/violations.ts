/** Messages for violations of a contract, for all commands. */
import { namesOfViolation } from "../contract/check-contract.ts";
import type { Contract, RuleViolation, Violation } from "../contract/contract-model.ts";
import { remedyLines, type SetOffer, sharedRemedy, type Target } from "../contract/remedies.ts";
import { describeViolations, type Wording, type WordingContext } from "../contract/violation-wording.ts";
import type { Line } from "../core/lines.ts";
import { count } from "../core/text.ts";
import { WIDTH } from "./layout.ts";
import type { Resolution } from "../core/model.ts";
import { judgedValues, type Start, type EscStatus } from "../resolve/start.ts";
import { isOwnVariable } from "../resolve/reserved-names.ts";
import { emptyWords } from "./unset-values.ts";
import { withheldWords } from "./withheld-words.ts";

export interface ViolationReport {
  readonly kind: string;
  readonly names: readonly string[];
  readonly message: string;
  readonly remedies: readonly string[];
}

/** Returns true if the value itself is wrong, not that there is one or none. */
export function isOfValue<One extends Violation>(
  violation: One,
): violation is Exclude<One, RuleViolation | { readonly kind: "no-contract" }> {
  return !("rule" in violation) && violation.kind !== "no-contract";
}

export function wordViolations(violations: readonly Violation[], start: Start): readonly Wording[] {
  const {
    files: { contract },
    store: { esc },
  } = start;
  const values = judgedValues(start);
  const { resolution, selected } = values;
  const context: WordingContext = {
    present: [...resolution.keys()],
    origins: selected,
    target: targetOf(esc),
    isOfEnvironment: isOwnVariable,
    withheld: withheldWords({ ...start, values }),
    empty: emptyWords({ values }),
    contractFile: namedContract(start.settings),
  };
  return describeViolations(violations, contract, context);
}

/** Returns the contract that the user has named, unless it is a pipe, which another command cannot read again. */
export function namedContract({ contractFile }: Pick<Start["settings"], "contractFile">): string | undefined {
  return contractFile === undefined || /^\/(?:dev|proc)\//.test(contractFile) ? undefined : contractFile;
}

function targetOf(esc: EscStatus): Target {
  const last =
    esc.kind === "read" ? esc.environments.at(-1) : "rejected" in esc ? esc.rejected?.environments.at(-1) : undefined;
  if (last !== undefined) return { kind: "esc", environment: last.name };
  return { kind: esc.kind === "refused" ? "environment" : "local" };
}

/**
 * Reports the violations of one ESC environment (`org/project/name`), for programs and as lines for people.
 * @param showsLines whether the lines name the line of each value in its definition
 */
export function reportViolations(
  violations: readonly Violation[],
  contract: Contract,
  selected: Resolution,
  escEnvironment: string,
  offer: SetOffer,
  contractFile: string | undefined,
  showsLines = false,
): { readonly violations: readonly ViolationReport[]; readonly lines: readonly Line[] } {
  const target: Target = { kind: "esc", environment: escEnvironment };
  const context: WordingContext = {
    present: [...selected.keys()],
    origins: selected,
    target,
    isOfEnvironment: isOwnVariable,
    contractFile,
  };
  const wordings = describeViolations(violations, contract, context);
  const shown = wordings.slice(0, MAX_SHOWN);
  const lines: readonly Line[] = [
    ...shown.flatMap(({ message, advice, violation }) => [
      `❌ ${message}${showsLines ? lineWords(violation, selected) : ""}`,
      ...advice.map((one) => ({ text: `   ${one}`, hang: 3 })),
    ]),
    ...(shown.length < wordings.length ? [`and ${count(wordings.length - shown.length, "violation")} more`] : []),
    ...sharedRemedy(
      shown.flatMap(({ supply }) => supply),
      WIDTH,
      offer,
    ).map((text) => ({ text, hang: 3, whole: text.startsWith("  ") })),
  ];
  return { violations: wordings.map(reportViolation), lines };
}

/** Names the line of a definition that has the value; empty for one that is missing. */
function lineWords(violation: Violation, selected: Resolution): string {
  const origin = isOfValue(violation) ? selected.get(violation.name)?.origin : undefined;
  if (origin?.source !== "esc" || origin.line === undefined) return "";
  return ` (${origin.importedFrom ?? origin.environment}, line ${origin.line})`;
}

export const MAX_SHOWN = 50;

export function reportViolation(wording: Wording): ViolationReport {
  const { violation, message } = wording;
  return { kind: violation.kind, names: namesOfViolation(violation), message, remedies: remedyLines(wording) };
}
