/**
 * Writes the report of `check` for people: a section about Pulumi ESC, one for each section of the contract, and a summary
 * (check-summary.ts). check-json.ts writes the same report for programs.
 *
 *     --- Database ---
 *     ✅ DATABASE_URL: ***
 *     ❌ PORT: Not configured
 */
import type { EscSetting } from "../../output/esc-report.ts";
import { type LineReport, type Report, createReportTitle } from "../../output/report.ts";
import type { UnmetReport } from "../../output/unmet.ts";
import type { Line } from "../../core/lines.ts";
import { enumerate } from "../../core/text.ts";
import { capitalize, createSearchableLine, createSummaryLines, createTrackedFileLines } from "./check-summary.ts";
import { describeGate, type EnvironmentAge, createEnvironmentLine, type EnvironmentGates } from "./environments.ts";
import type { ExtraCheck } from "./extra-check.ts";
import type { Origin } from "../../core/model.ts";
import { escEnvironmentWords, originWords } from "../../resolve/source-words.ts";

/** The results that the report of `check` has in addition to the `Report` that other commands share. */
export interface ReportExtras {
  /** The `.env` files that git tracks. */
  readonly trackedFiles: readonly string[];
  /** The newest revisions of the ESC environments. */
  readonly environmentAges: readonly EnvironmentAge[];
  /** The ESC environments whose opening or change needs an approval. */
  readonly environmentGates: readonly EnvironmentGates[];
  /** The results of the checks that options such as `--live` add. */
  readonly extraChecks: readonly ExtraCheck[];
}

interface TextExtras extends ReportExtras {
  /** Warnings of names that resemble an unset variable, as describeSimilarNames() returns them. */
  readonly similarNames: readonly string[];
}

/**
 * Returns the report for people. The form of its lines is fixed, since users search CI logs for them.
 *
 * @param unmet the explanation of an unmet contract; undefined if it is met
 */
export function formatReport(
  report: Report,
  unmet: UnmetReport | undefined,
  { trackedFiles, environmentAges, environmentGates, extraChecks, similarNames }: TextExtras,
): readonly Line[] {
  const contractSections = report.sections.map(({ title, lines }) => [
    `--- ${title} ---`,
    ...lines.map((line) => createSearchableLine(createVariableLine(line, report))),
  ]);
  const summarySection = [
    "--- Summary ---",
    ...createSummaryLines(report, unmet, extraChecks, similarNames),
    ...trackedFiles.flatMap((file) => createTrackedFileLines(file)),
  ];
  const sections: readonly (readonly Line[])[] = [
    ...createEscSections(report, environmentAges, environmentGates),
    ...contractSections,
    ...createMainSourceSections(report),
    ...extraChecks.map(({ section }) => section),
    summarySection,
  ];
  const title = report.isAbsent ? "=== Configuration check ===" : createReportTitle("check", report.contract);
  return [title, ...sections.flatMap((lines) => ["", ...lines])];
}

/**
 * Returns the section about ESC: environment, token, revisions and approvals. The list is empty if the project does not use
 * ESC.
 */
function createEscSections(
  report: Report,
  environmentAges: readonly EnvironmentAge[],
  environmentGates: readonly EnvironmentGates[],
): readonly (readonly Line[])[] {
  // The built-in contract is the Sophia platform's, whose projects use ESC.
  const isBuiltIn = report.contract.source === "built-in" && !report.isAbsent;
  if (!isBuiltIn && report.esc.status === "off") return [];
  const now = new Date();
  const settings = [report.esc.environment, report.esc.credential];
  return [
    [
      isBuiltIn ? "--- ESC Configuration ---" : "--- Pulumi ESC ---",
      ...settings.map((setting) => createSearchableLine(createEscSettingLine(setting, report))),
      ...environmentAges.map((age) => createSearchableLine(createEnvironmentLine(age, now))),
      ...environmentGates.map((gate) => `⏸️ ${describeGate(gate)}`),
    ],
  ];
}

function createEscSettingLine({ state, variable, shown = "" }: EscSetting, { met, esc }: Report): string {
  const [mark, text] = {
    accepted: ["✅", shown],
    rejected: ["❌", `${shown} (${REJECTIONS[esc.failure?.code ?? ""] ?? "not accepted"})`],
    unverified: ["⚠️", `${shown} (not verified)`],
    absent: ["➖", "Not configured"],
    missing: [met ? "⚠️" : "❌", "Not configured"],
    unasked: ["➖", "Not read (--fake)"],
    unallowed: [met ? "⚠️" : "❌", `${shown} (not allowed: sophia-run allow)`],
  }[state];
  return `${mark} ${variable}: ${text}`;
}

/** Short reasons by the code of the failure. The summary has the whole message. */
const REJECTIONS: Readonly<Record<string, string>> = {
  "esc-not-found": "not found",
  "esc-forbidden": "access denied",
  "esc-approval": "approval needed",
  "esc-credential": "cannot be used",
  "esc-schema": "a schema refuses its values",
};

function createVariableLine(line: LineReport, report: Report): string {
  const { label, state, shown = "***", withheld, empty } = line;
  const source = describeSource(line, report);
  const reasonForAbsence = capitalize(withheld ?? empty ?? "not configured");
  const [mark, text] = {
    set: ["✅", shown + source],
    invalid: ["❌", `Not valid${source}`],
    missing: ["❌", reasonForAbsence],
    unset: ["➖", reasonForAbsence],
  }[state];
  return `${mark} ${label}: ${text}`;
}

/** Returns the source of a value as in ` (.env:3)`; empty for the main source, which has a section of its own. */
function describeSource(line: LineReport, report: Report): string {
  const { origin } = line;
  if (origin === undefined || isFromMainSource(origin, report)) return "";
  return ` (${originWords(origin)}${describeHiddenSources(line, report)})`;
}

/** Names the sources whose values `.env.override` hides. */
function describeHiddenSources({ name, origin }: LineReport, { variables }: Report): string {
  if (origin?.source !== "override") return "";
  const { shadows = [] } = variables.find((variable) => variable.name === name) ?? {};
  return shadows.length === 0 ? "" : `, hides ${enumerate(shadows.map(originWords))}`;
}

/**
 * Returns true for a value from the main source: the last ESC environment itself, not one that it imports. Most values come
 * from there, so that their lines name no source.
 */
function isFromMainSource(origin: Origin, { esc }: Report): boolean {
  if (origin.source !== "esc" || origin.importedFrom !== undefined || origin.alias !== undefined) return false;
  return origin.environment === esc.environments.at(-1)?.name;
}

/** Returns the section that names the main source. The list is empty if no value comes from there. */
function createMainSourceSections(report: Report): readonly (readonly Line[])[] {
  const mainEnvironment = report.esc.environments.at(-1);
  const origins = report.sections.flatMap(({ lines }) => lines.flatMap(({ origin }) => origin ?? []));
  const hasMainSource = origins.some((origin) => isFromMainSource(origin, report));
  if (mainEnvironment === undefined || !hasMainSource) return [];
  const environmentText = escEnvironmentWords(mainEnvironment);
  return [["--- Sources ---", createSearchableLine(`✅ ESC ${environmentText} (where a line names no other source)`)]];
}
