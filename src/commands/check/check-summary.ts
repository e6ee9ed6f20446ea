/**
 * Writes the summary of `check`: whether the values meet the contract, otherwise the reasons and remedies, and then
 * warnings.
 */
import { requirementExample } from "../../contract/remedies.ts";
import { enumerateFew, type Line } from "../../core/lines.ts";
import { shellWord } from "../../core/shell.ts";
import { count, enumerate } from "../../core/text.ts";
import { WIDTH } from "../../output/layout.ts";
import type { Report } from "../../output/report.ts";
import type { UnmetReport } from "../../output/unmet.ts";
import { PUBLIC_REMEDY, type PublicCredential } from "../../resolve/secret-values.ts";
import { cacheWords, labelOf } from "../../resolve/source-words.ts";
import type { ExtraCheck } from "./extra-check.ts";

const INDENT = "   ";

/** The columns that are left for an indented line, such as a remedy. */
export const INDENTED_WIDTH = WIDTH - INDENT.length;

/**
 * Returns the lines of the summary. The first one says whether the contract is met.
 *
 * @param unmet the explanation of an unmet contract; undefined if it is met
 * @param similarNames warnings of names that resemble an unset variable
 */
export function createSummaryLines(
  report: Report,
  unmet: UnmetReport | undefined,
  extraChecks: readonly ExtraCheck[],
  similarNames: readonly string[],
): readonly Line[] {
  return [
    ...createContractLines(report, unmet, extraChecks),
    ...extraChecks.flatMap(createFailureLines),
    ...extraChecks.flatMap(({ warnings = [] }) => warnings.map((warning) => `⚠️ ${warning}`)),
    ...createEscFailureLines(report),
    ...createOverriddenLines(report),
    ...similarNames.map((line) => `⚠️ ${line}`),
    ...report.credentials.flatMap(createCredentialLines),
  ];
}

/** Returns the result of the contract's check. A met contract has no lines if an extra check has failed. */
function createContractLines(
  report: Report,
  unmet: UnmetReport | undefined,
  extraChecks: readonly ExtraCheck[],
): readonly Line[] {
  if (unmet !== undefined) return createUnmetLines(report, unmet);
  // The line "✅ All checks passed!" would hide that another check has failed.
  return extraChecks.some(({ failures }) => failures.length > 0) ? [] : createPassedLines(report, extraChecks);
}

/** Returns the failure of an extra check and its remedies; none if the check has passed. */
function createFailureLines({ failures: [failure, ...details] }: ExtraCheck): readonly Line[] {
  return failure === undefined ? [] : [`❌ ${failure}`, ...details.map(indent)];
}

function createPassedLines(report: Report, extraChecks: readonly ExtraCheck[]): readonly Line[] {
  const cacheAge = report.esc.environments.at(-1)?.ageSeconds;
  const sources = report.sources.map((source) =>
    source === "esc" && cacheAge !== undefined ? `ESC (${cacheWords(cacheAge)})` : labelOf(source),
  );
  const sourcesText = sources.length === 0 ? "" : ` Configuration loaded from ${enumerate(sources)}`;
  const allPassedText = report.nothingRequired ? "All checks passed, but nothing is required." : "All checks passed!";
  const hasWarnings = extraChecks.some(({ warnings = [] }) => warnings.length > 0);
  const resultLine = createSearchableLine(`✅ ${hasWarnings ? "The contract is met." : allPassedText}${sourcesText}`);
  if (!report.nothingRequired) return [resultLine];
  return [
    resultLine,
    indent("to require a variable, write in the contract:"),
    indent(`  ${requirementExample(report.variables[0]?.name)}`),
  ];
}

function createUnmetLines(report: Report, unmet: UnmetReport): readonly Line[] {
  const { builtInApplies, cause = [], findings, remedy, postscript = [], lacksEsc } = unmet;
  const [causeLine, ...furtherCauseLines] = cause;
  const causeMark = report.esc.environment.state === "absent" ? "➖" : "❌";
  const remedies = [
    ...remedy,
    ...(lacksEsc === true ? [ESC_REMEDY] : []),
    ...(report.isAbsent ? [NO_CONTRACT_REMEDY] : []),
    ...postscript,
  ];
  return [
    ...(builtInApplies === undefined ? [] : [`⚠️ ${capitalize(builtInApplies[0])}`, indent(builtInApplies[1])]),
    ...(causeLine === undefined ? [] : [`${causeMark} ${causeLine}`]),
    ...furtherCauseLines.map(indent),
    ...(report.isAbsent ? [] : [`❌ ${count(report.violations.length, "check")} failed`]),
    ...findings.flatMap(({ kind, text, advice }) => [
      kind === "violation" ? `❌ ${report.isAbsent ? capitalize(text) : text}` : indent(text),
      ...advice.map(indent),
    ]),
    ...remedies.map(indent),
  ];
}

const NO_CONTRACT_REMEDY = "sophia-run --no-contract -- COMMAND starts a program without one";
const ESC_REMEDY = "to use Pulumi ESC as well, set ESC_ENV and ESC_TOKEN";

/** Warns of a failure of ESC although the contract is met. If the contract is not met, the failure is its cause. */
function createEscFailureLines({ met, esc }: Report): readonly Line[] {
  if (!met || esc.failure === undefined) return [];
  return [`⚠️ ${esc.failure.message}`, ...esc.failure.further.map(indent)];
}

function createOverriddenLines({ overridden }: Report): readonly Line[] {
  if (overridden.length === 0) return [];
  const pronoun = overridden.length === 1 ? "it" : "them";
  return [`⚠️ The environment overrides ESC for ${enumerateFew(overridden)}; unset ${pronoun} there to use ESC`];
}

/** Warns of a variable that the contract declares public although its value is a credential. */
function createCredentialLines({ name, credential, reason }: PublicCredential): readonly Line[] {
  if (reason !== undefined) return [`⚠️ ${name} is not masked, although its value holds ${credential}: ${reason}`];
  return [
    `⚠️ ${name} is a secret: its value holds ${credential}, although the contract declares it public`,
    indent(PUBLIC_REMEDY),
  ];
}

/** Warns of a `.env` file that git tracks. */
export function createTrackedFileLines(file: string): readonly Line[] {
  return [
    `⚠️ Git tracks ${file}: all readers of the repository see its values. Replace its secrets, then`,
    { text: `${INDENT}git rm --cached -- ${shellWord(file)}`, neverWraps: true },
    indent("and add it to .gitignore"),
  ];
}

/** Marks a line for which users search in logs, so that it is wrapped only at a terminal. */
export function createSearchableLine(text: string): Line {
  return { text, wrapsOnlyAtTerminal: true };
}

export function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Indents a line. A line that already begins with spaces is part of a command, and is not wrapped. */
function indent(text: string): Line {
  return { text: INDENT + text, neverWraps: text.startsWith("  ") };
}
