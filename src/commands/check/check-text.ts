import { escForPrograms, type EscSetting } from "../../output/esc-report.ts";
import { type LineReport, type Report, reportTitle } from "../../output/report.ts";
import { WIDTH } from "../../output/layout.ts";
import type { UnmetReport } from "../../output/unmet.ts";
import { shellWord } from "../../core/shell.ts";
import { enumerateFew, type Line } from "../../core/lines.ts";
import { jsonText } from "../../core/json-text.ts";
import { requirementExample } from "../../contract/remedies.ts";
import { count, enumerate } from "../../core/text.ts";
import { type EnvironmentAge, environmentLine, type EnvironmentGates, gateWords } from "./environments.ts";
import type { Origin } from "../../core/model.ts";
import { PUBLIC_REMEDY, type PublicCredential } from "../../resolve/secret-values.ts";
import { cacheWords, environmentWords, labelOf, originWords } from "../../resolve/source-words.ts";

const INDENT = "   ";
export const INDENTED = WIDTH - INDENT.length;

/** The result of `--overdue`, `--live`, `--broker`, `--refresh` or `--aws-refresh`. */
export interface ExtraCheck {
  readonly section: readonly string[];
  readonly failures: readonly string[];
  /** Values that it could not test, a line each. */
  readonly warnings?: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ReportExtras {
  readonly tracked: readonly string[];
  readonly ages: readonly EnvironmentAge[];
  readonly gates: readonly EnvironmentGates[];
  readonly checks: readonly ExtraCheck[];
}

interface TextExtras extends ReportExtras {
  /** The lines of `similarNameLines`. */
  readonly similarNames: readonly string[];
}

/** Returns the report for people. The form of its lines is fixed, since CI logs are searched for them. */
export function reportText(
  report: Report,
  unmet: UnmetReport | undefined,
  { tracked, ages, gates, checks, similarNames }: TextExtras,
): readonly Line[] {
  const now = new Date();
  const isBuiltIn = report.contract.source === "built-in" && !report.isAbsent;
  const esc: readonly Line[] = [
    isBuiltIn ? "--- ESC Configuration ---" : "--- Pulumi ESC ---",
    ...[report.esc.environment, report.esc.credential].map((one) => searched(escLine(one, report))),
    ...ages.map((age) => searched(environmentLine(age, now))),
    ...gates.map((one) => `⏸️ ${gateWords(one)}`),
  ];
  const sections: readonly (readonly Line[])[] = [
    // A project need not use ESC.
    ...(isBuiltIn || report.esc.status !== "off" ? [esc] : []),
    ...report.sections.map(({ title, lines }) => [
      `--- ${title} ---`,
      ...lines.map((one) => searched(variableLine(one, report))),
    ]),
    ...mainSource(report),
    ...checks.map(({ section }) => section),
    ["--- Summary ---", ...summary(report, unmet, { checks, similarNames }), ...tracked.flatMap(trackedLines)],
  ];
  const title = report.isAbsent ? "=== Configuration check ===" : reportTitle("check", report.contract);
  return [title, ...sections.flatMap((lines) => ["", ...lines])];
}

/** Returns the report as JSON, without any part of a value. Its version changes if a field changes its meaning. */
export function reportJson(report: Report, { tracked, ages, gates, checks }: ReportExtras): string {
  const { esc, sections } = report;
  return jsonText({
    version: 1,
    met: report.met,
    contract: report.contract,
    esc: escForPrograms(esc),
    sources: report.sources,
    nothingRequired: report.nothingRequired,
    sections: sections.map(({ title, lines }) => ({
      title,
      // No spread: `shown` is for people.
      lines: lines.map(({ label, state, name, origin, withheld }) => ({ label, state, name, origin, withheld })),
    })),
    variables: report.variables,
    overridden: report.overridden,
    credentials: report.credentials,
    violations: report.violations,
    notices: report.notices,
    tracked,
    gates,
    revisions: ages.map(({ environment, revision: { number, created, by } }) => ({
      environment,
      revision: number,
      created: created.toISOString(),
      by: by === "" ? null : by,
    })),
    ...Object.assign({}, ...checks.map(({ fields }) => fields)),
  });
}

function escLine({ state, variable, shown = "" }: EscSetting, { met, esc }: Report): string {
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

/** Short reasons; the summary has the messages. */
const REJECTIONS: Readonly<Record<string, string>> = {
  "esc-not-found": "not found",
  "esc-forbidden": "access denied",
  "esc-approval": "approval needed",
  "esc-credential": "cannot be used",
  "esc-schema": "a schema refuses its values",
};

function variableLine(line: LineReport, report: Report): string {
  const { label, state, shown = "***", origin, withheld, empty } = line;
  const from =
    origin === undefined || isMain(origin, report) ? "" : ` (${originWords(origin)}${hiddenWords(line, report)})`;
  const absent = sentence(withheld ?? empty ?? "not configured");
  const [mark, text] = {
    set: ["✅", shown + from],
    invalid: ["❌", `Not valid${from}`],
    missing: ["❌", absent],
    unset: ["➖", absent],
  }[state];
  return `${mark} ${label}: ${text}`;
}

/** Names what a value of `.env.override` hides. */
function hiddenWords({ name, origin }: LineReport, { variables }: Report): string {
  if (origin?.source !== "override") return "";
  const { shadows = [] } = variables.find((one) => one.name === name) ?? {};
  return shadows.length === 0 ? "" : `, hides ${enumerate(shadows.map(originWords))}`;
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Returns true for a value of the last ESC environment, which wins. Lines do not name it. */
function isMain(origin: Origin, { esc }: Report): boolean {
  if (origin.source !== "esc" || origin.importedFrom !== undefined || origin.alias !== undefined) return false;
  return origin.environment === esc.environments.at(-1)?.name;
}

function mainSource(report: Report): readonly (readonly Line[])[] {
  const main = report.esc.environments.at(-1);
  const origins = report.sections.flatMap(({ lines }) => lines.flatMap(({ origin }) => origin ?? []));
  if (main === undefined || !origins.some((origin) => isMain(origin, report))) return [];
  return [["--- Sources ---", searched(`✅ ESC ${environmentWords(main)} (where a line names no other source)`)]];
}

function summary(
  report: Report,
  unmet: UnmetReport | undefined,
  { checks, similarNames }: Pick<TextExtras, "checks" | "similarNames">,
): readonly Line[] {
  const failed = checks.filter(({ failures }) => failures.length > 0);
  return [
    ...(unmet === undefined && failed.length > 0 ? [] : outcome(report, unmet, checks)),
    ...failed.flatMap(({ failures: [first = "", ...rest] }) => [`❌ ${first}`, ...rest.map(indented)]),
    ...checks.flatMap(({ warnings = [] }) => warnings.map((one) => `⚠️ ${one}`)),
    ...fault(report),
    ...overridden(report),
    ...similarNames.map((one) => `⚠️ ${one}`),
    ...report.credentials.flatMap(credentialLines),
  ];
}

function outcome(report: Report, unmet: UnmetReport | undefined, checks: readonly ExtraCheck[]): readonly Line[] {
  if (unmet === undefined) {
    const age = report.esc.environments.at(-1)?.ageSeconds;
    const labels = report.sources.map((source) =>
      source === "esc" && age !== undefined ? `ESC (${cacheWords(age)})` : labelOf(source),
    );
    const isAll = checks.every(({ warnings = [] }) => warnings.length === 0);
    const from = labels.length === 0 ? "" : ` Configuration loaded from ${enumerate(labels)}`;
    const nothing = report.nothingRequired
      ? [
          indented("to require a variable, write in the contract:"),
          indented(`  ${requirementExample(report.variables[0]?.name)}`),
        ]
      : [];
    const passed = report.nothingRequired ? "All checks passed, but nothing is required." : "All checks passed!";
    return [searched(`✅ ${isAll ? passed : "The contract is met."}${from}`), ...nothing];
  }
  const { builtInApplies, cause = [], findings, remedy, postscript = [], lacksEsc } = unmet;
  const [first, ...rest] = cause;
  return [
    ...(builtInApplies === undefined ? [] : [`⚠️ ${sentence(builtInApplies[0])}`, indented(builtInApplies[1])]),
    ...(first === undefined ? [] : [`${report.esc.environment.state === "absent" ? "➖" : "❌"} ${first}`]),
    ...rest.map(indented),
    ...(report.isAbsent ? [] : [`❌ ${count(report.violations.length, "check")} failed`]),
    ...findings.flatMap(({ kind, text: words, advice }) => [
      kind === "violation" ? `❌ ${report.isAbsent ? sentence(words) : words}` : indented(words),
      ...advice.map(indented),
    ]),
    ...[
      ...remedy,
      ...(lacksEsc === true ? [TO_USE_ESC] : []),
      ...(report.isAbsent ? [WITHOUT] : []),
      ...postscript,
    ].map(indented),
  ];
}

const WITHOUT = "sophia-run --no-contract -- COMMAND starts a program without one";
const TO_USE_ESC = "to use Pulumi ESC as well, set ESC_ENV and ESC_TOKEN";

function fault({ met, esc }: Report): readonly Line[] {
  if (!met || esc.failure === undefined) return [];
  return [`⚠️ ${esc.failure.message}`, ...esc.failure.further.map(indented)];
}

function overridden({ overridden: names }: Report): readonly Line[] {
  if (names.length === 0) return [];
  const them = names.length === 1 ? "it" : "them";
  return [`⚠️ The environment overrides ESC for ${enumerateFew(names)}; unset ${them} there to use ESC`];
}

function credentialLines({ name, credential, reason }: PublicCredential): readonly Line[] {
  if (reason !== undefined) return [`⚠️ ${name} is not masked, although its value holds ${credential}: ${reason}`];
  return [
    `⚠️ ${name} is a secret: its value holds ${credential}, although the contract declares it public`,
    indented(PUBLIC_REMEDY),
  ];
}

function trackedLines(file: string): readonly Line[] {
  return [
    `⚠️ Git tracks ${file}: all readers of the repository see its values. Replace its secrets, then`,
    { text: `${INDENT}git rm --cached -- ${shellWord(file)}`, whole: true },
    indented("and add it to .gitignore"),
  ];
}

function searched(words: string): Line {
  return { text: words, searched: true };
}

/** Indents a line. One that already begins with spaces is part of a command, and is not wrapped. */
function indented(words: string): Line {
  return { text: INDENT + words, whole: words.startsWith("  ") };
}
