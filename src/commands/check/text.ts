import { escForPrograms, type EscSetting } from "../../output/esc-report.ts";
import type { LineReport, Report } from "../../output/report.ts";
import { WIDTH } from "../../output/layout.ts";
import type { Unmet } from "../../output/unmet.ts";
import { shellWord } from "../../core/shell.ts";
import { enumerateFew, type Line } from "../../core/lines.ts";
import { jsonText } from "../../core/json-text.ts";
import { count, enumerate } from "../../core/text.ts";
import { type EnvironmentGates, gateWords } from "./gates.ts";
import { type EnvironmentAge, environmentLine } from "../audit/environment-age.ts";
import type { Origin, SourceId } from "../../core/model.ts";
import type { EscEnvironment } from "../../sources/esc.ts";
import { environmentWords, cacheWords, originWords, sourceOf } from "../../resolve/sources.ts";

const INDENT = "   ";
/** Columns that a line of a command under a mark may have. */
export const INDENTED = WIDTH - INDENT.length;

/** A part of the check beyond the contract. */
export interface Part {
  readonly section: readonly string[];
  /** The reasons for which the check fails, a line each. */
  readonly failures: readonly string[];
  /** What the check could not find out, a line each. */
  readonly doubts?: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Facts of the report beside the contract. */
export interface Beside {
  readonly tracked: readonly string[];
  readonly ages: readonly EnvironmentAge[];
  readonly gates: readonly EnvironmentGates[];
  readonly parts: readonly Part[];
}

/** The smoke check for people. CI logs are searched for its lines, so the form is fixed. */
export function text(
  report: Report,
  unmet: Unmet | undefined,
  { tracked, ages, gates, parts }: Beside,
): readonly Line[] {
  const now = new Date();
  const sections: readonly (readonly Line[])[] = [
    [
      "--- ESC Configuration ---",
      ...[report.esc.environment, report.esc.credential].map((one) => searched(escLine(one, report))),
      ...ages.map((age) => searched(environmentLine(age, now))),
      ...gates.map((one) => `⏸️ ${gateWords(one)}`),
    ],
    ...report.sections.map(({ title, lines }) => [
      `--- ${title} ---`,
      ...lines.map((one) => searched(line(one, report))),
    ]),
    ...sources(report),
    ...parts.map(({ section }) => section),
    ["--- Summary ---", ...summary(report, unmet, parts), ...tracked.flatMap(trackedLines)],
  ];
  return ["=== Sophia Configuration Smoke Check ===", ...sections.flatMap((lines) => ["", ...lines])];
}

/**
 * The report for programs, with a version that changes when a field loses its meaning. It has no masked ends of values: no
 * part of a value stands in it.
 */
export function json(report: Report, { tracked, ages, gates, parts }: Beside): string {
  const { esc, sections } = report;
  return jsonText({
    version: 1,
    met: report.met,
    contract: report.contract,
    esc: escForPrograms(esc),
    sources: report.sources,
    sections: sections.map(({ title, lines }) => ({
      title,
      // No spread: `shown` is for people.
      lines: lines.map(({ label, state, name, origin, withheld }) => ({ label, state, name, origin, withheld })),
    })),
    variables: report.variables,
    overridden: report.overridden,
    violations: report.violations,
    notices: report.notices,
    tracked,
    gates,
    // The newest revision of each ESC environment whose history the token may see.
    revisions: ages.map(({ environment, revision: { number, created, by } }) => ({
      environment,
      revision: number,
      created: created.toISOString(),
      by: by === "" ? null : by,
    })),
    ...Object.assign({}, ...parts.map(({ fields }) => fields)),
  });
}

function escLine({ state, variable, shown = "" }: EscSetting, { met, esc }: Report): string {
  switch (state) {
    case "accepted":
      return `✅ ${variable}: ${shown}`;
    case "rejected":
      return `❌ ${variable}: ${shown} (${REJECTIONS[esc.failure?.code ?? ""] ?? "not accepted"})`;
    case "unverified":
      return `⚠️ ${variable}: ${shown} (not verified)`;
    case "absent":
      return `➖ ${variable}: Not configured`;
    case "missing":
      return `${met ? "⚠️" : "❌"} ${variable}: Not configured`;
    case "unasked":
      return `➖ ${variable}: Not asked (--fake)`;
  }
}

/** The reason in a word; the summary has the whole. */
const REJECTIONS: Readonly<Record<string, string>> = {
  "esc-not-found": "not found",
  "esc-forbidden": "access denied",
  "esc-approval": "approval needed",
  "esc-credential": "cannot be used",
};

function line({ label, state, shown = "***", origin, withheld }: LineReport, report: Report): string {
  const from = origin === undefined || isMain(origin, report) ? "" : ` (${originWords(origin)})`;
  const absent = withheld === undefined ? "Not configured" : sentence(withheld);
  switch (state) {
    case "set":
      return `✅ ${label}: ${shown}${from}`;
    case "invalid":
      return `❌ ${label}: Not valid${from}`;
    case "missing":
      return `❌ ${label}: ${absent}`;
    case "unset":
      return `➖ ${label}: ${absent}`;
  }
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The ESC environment of most lines, which do not name it: the last one, which wins. */
function mainOf({ esc }: Report): EscEnvironment | undefined {
  return esc.environments.at(-1);
}

function isMain(origin: Origin, report: Report): boolean {
  return (
    origin.source === "esc" &&
    origin.environment === mainOf(report)?.name &&
    origin.importedFrom === undefined &&
    origin.alias === undefined
  );
}

/** The origin of the lines that name none. */
function sources(report: Report): readonly (readonly Line[])[] {
  const main = mainOf(report);
  const lines = report.sections.flatMap((section) => section.lines);
  const isUsed = lines.some(({ origin }) => origin !== undefined && isMain(origin, report));
  if (main === undefined || !isUsed) return [];
  return [["--- Sources ---", searched(`✅ ESC ${environmentWords(main)} (where a line names no other source)`)]];
}

function summary(report: Report, unmet: Unmet | undefined, parts: readonly Part[]): readonly Line[] {
  const failed = parts.filter(({ failures }) => failures.length > 0);
  return [
    ...(unmet === undefined && failed.length > 0 ? [] : outcome(report, unmet, parts)),
    ...failed.flatMap(({ failures: [first = "", ...rest] }) => [`❌ ${first}`, ...rest.map(indented)]),
    ...parts.flatMap(({ doubts = [] }) => doubts.map((one) => `⚠️ ${one}`)),
    ...fault(report),
    ...overridden(report),
  ];
}

function outcome(report: Report, unmet: Unmet | undefined, parts: readonly Part[]): readonly Line[] {
  if (unmet === undefined) {
    const labels = enumerate(report.sources.map((source) => sourceOf(source).label + ageOf(source, report)));
    const isAll = parts.every(({ doubts = [] }) => doubts.length === 0);
    const from = labels === "" ? "" : ` Configuration loaded from ${labels}`;
    return [searched(`✅ ${isAll ? "All checks passed!" : "The contract is met."}${from}`)];
  }
  const { unwritten, cause = [], findings, remedy } = unmet;
  const [first, ...rest] = cause;
  return [
    ...(unwritten === undefined ? [] : [`⚠️ ${sentence(unwritten[0])}`, indented(unwritten[1])]),
    ...(first === undefined ? [] : [`${report.esc.environment.state === "absent" ? "➖" : "❌"} ${first}`]),
    ...rest.map(indented),
    `❌ ${count(report.violations.length, "check")} failed`,
    ...findings.flatMap(({ kind, text: words, advice }) => [
      kind === "violation" ? `❌ ${words}` : indented(words),
      ...advice.map(indented),
    ]),
    ...remedy.map(indented),
  ];
}

function ageOf(source: SourceId, report: Report): string {
  const age = source === "esc" ? mainOf(report)?.ageSeconds : undefined;
  return age === undefined ? "" : ` (${cacheWords(age)})`;
}

/** An ESC that could not be read although the contract is met. */
function fault({ met, esc }: Report): readonly Line[] {
  if (!met || esc.failure === undefined) return [];
  return [`⚠️ ${esc.failure.message}`, ...esc.failure.further.map(indented)];
}

function overridden({ overridden: names }: Report): readonly Line[] {
  if (names.length === 0) return [];
  const them = names.length === 1 ? "it" : "them";
  return [`⚠️ The environment overrides ESC for ${enumerateFew(names)}; unset ${them} there to use ESC's`];
}

function trackedLines(file: string): readonly Line[] {
  const name = shellWord(file);
  return [
    `⚠️ Git tracks ${file}: who has the repository has its values. Replace its secrets, then`,
    { text: `${INDENT}git rm --cached -- ${name}`, whole: true },
    indented("and name it in .gitignore"),
  ];
}

function searched(words: string): Line {
  return { text: words, searched: true };
}

/** A line under a mark; one that begins with spaces itself is part of a command. */
function indented(words: string): Line {
  return { text: INDENT + words, whole: words.startsWith("  ") };
}
