/**
 * Describes violations of a contract for all commands: as messages with remedies, and as data for JSON.
 * `contract/violation-wording.ts` writes the sentences. This file gives it the facts of a start, or of one ESC environment: the
 * values, their origins, and where a missing value must be set.
 *
 *     ❌ DATABASE_URL is required and not set
 */
import { namesOfViolation } from "../contract/check-contract.ts";
import type { Contract, RuleViolation, Violation } from "../contract/contract-model.ts";
import { describeRemedy, type SetCommandInput, describeValuesToSet, type ValueTarget } from "../contract/remedies.ts";
import {
  describeViolations,
  type ViolationDescription,
  type DescriptionContext,
} from "../contract/violation-wording.ts";
import type { Line } from "../core/lines.ts";
import { count } from "../core/text.ts";
import { WIDTH } from "./layout.ts";
import type { Resolution } from "../core/model.ts";
import { judgedValues, type Start, type EscStatus } from "../resolve/start.ts";
import { isOwnVariable } from "../resolve/reserved-names.ts";
import { createEmptyValueDescriber } from "./unset-values.ts";
import { createWithholdingDescriber } from "./withheld-words.ts";

/** A violation as JSON has it. */
export interface ViolationReport {
  readonly kind: string;
  readonly names: readonly string[];
  readonly message: string;
  readonly remedies: readonly string[];
}

/** Returns true if the value of a variable is wrong, and false if a variable is missing or must not be set. */
export function isAboutWrongValue<SomeViolation extends Violation>(
  violation: SomeViolation,
): violation is Exclude<SomeViolation, RuleViolation | { readonly kind: "no-contract" }> {
  return !("rule" in violation) && violation.kind !== "no-contract";
}

/** Returns the messages and remedies for violations of a start. */
export function describeViolationsOf(violations: readonly Violation[], start: Start): readonly ViolationDescription[] {
  const { contract } = start.files;
  const values = judgedValues(start);
  const { resolution, selected } = values;
  const context: DescriptionContext = {
    presentNames: [...resolution.keys()],
    origins: selected,
    defaultTarget: chooseTarget(start.store.esc),
    isSetOnlyByEnvironment: isOwnVariable,
    describeWithholding: createWithholdingDescriber({ ...start, values }),
    describeEmptyValue: createEmptyValueDescriber({ values }),
    contractFile: findReusableContractFile(start.settings),
  };
  return describeViolations(violations, contract, context);
}

/** Returns the contract that the user has named, unless it is a pipe, which another command cannot read again. */
export function findReusableContractFile({
  contractFile,
}: Pick<Start["settings"], "contractFile">): string | undefined {
  return contractFile === undefined || /^\/(?:dev|proc)\//.test(contractFile) ? undefined : contractFile;
}

/** Returns where the user should set a missing value. In ESC that is the last environment, whose values win. */
function chooseTarget(esc: EscStatus): ValueTarget {
  const rejectedEnvironments = "rejected" in esc ? esc.rejected?.environments : undefined;
  const environments = esc.kind === "read" ? esc.environments : rejectedEnvironments;
  const winningEnvironment = environments?.at(-1);
  if (winningEnvironment !== undefined) return { kind: "esc", environment: winningEnvironment.name };
  return { kind: esc.kind === "refused" ? "environment" : "local" };
}

/**
 * Reports the violations of one ESC environment, as data for programs and as lines for people.
 *
 * @param escEnvironment `org/project/name`
 * @param showsLines true if the messages name the line of each value in its definition
 */
export function reportViolations(
  violations: readonly Violation[],
  contract: Contract,
  selected: Resolution,
  escEnvironment: string,
  offer: SetCommandInput,
  contractFile: string | undefined,
  showsLines = false,
): { readonly violations: readonly ViolationReport[]; readonly lines: readonly Line[] } {
  const target: ValueTarget = { kind: "esc", environment: escEnvironment };
  const context: DescriptionContext = {
    presentNames: [...selected.keys()],
    origins: selected,
    defaultTarget: target,
    isSetOnlyByEnvironment: isOwnVariable,
    contractFile,
  };
  const wordings = describeViolations(violations, contract, context);
  const shown = wordings.slice(0, MAX_SHOWN_VIOLATIONS);
  const lines: readonly Line[] = [
    ...shown.flatMap(({ message, advice, violation }) => [
      `❌ ${message}${showsLines ? describeLine(violation, selected) : ""}`,
      ...advice.map((line) => ({ text: `   ${line}`, hangingIndent: 3 })),
    ]),
    ...(shown.length < wordings.length ? [`and ${count(wordings.length - shown.length, "violation")} more`] : []),
    ...describeValuesToSet(
      shown.flatMap(({ valuesToSet }) => valuesToSet),
      WIDTH,
      offer,
    ).map((text) => ({ text, hangingIndent: 3, neverWraps: text.startsWith("  ") })),
  ];
  return { violations: wordings.map(reportViolation), lines };
}

/** Returns ` (org/project/name, line 7)` for a wrong value, and an empty text for a missing value. */
function describeLine(violation: Violation, selected: Resolution): string {
  const origin = isAboutWrongValue(violation) ? selected.get(violation.name)?.origin : undefined;
  if (origin?.source !== "esc" || origin.line === undefined) return "";
  return ` (${origin.importedFrom ?? origin.environment}, line ${origin.line})`;
}

/** The limit on the violations, and on the names and lines of one violation, in a message. */
export const MAX_SHOWN_VIOLATIONS = 50;

/** Returns a violation as JSON has it. */
export function reportViolation(wording: ViolationDescription): ViolationReport {
  const { violation, message } = wording;
  return { kind: violation.kind, names: namesOfViolation(violation), message, remedies: describeRemedy(wording) };
}
