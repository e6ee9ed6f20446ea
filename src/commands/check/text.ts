import type { EscSetting } from "../../output/esc-report.ts";
import type { LineReport, Report } from "../../output/report.ts";
import type { Unmet } from "../../output/unmet.ts";
import { shellWord } from "../../core/shell.ts";
import { wrap } from "../../core/lines.ts";
import { count, enumerate } from "../../core/text.ts";
import { type EnvironmentGates, gateWords } from "./gates.ts";
import type { Part } from "./part.ts";
import { type EnvironmentAge, environmentLine } from "../audit/environment-age.ts";
import type { Origin, SourceId } from "../../core/model.ts";
import type { EscEnvironment } from "../../sources/esc.ts";
import { environmentWords, keptWords, originWords, sourceOf } from "../../resolve/sources.ts";

const WIDTH = 80;
const INDENT = "   ";
/** Columns that a line under a mark may have. */
export const INDENTED = WIDTH - INDENT.length;

/** What is told beside the contract. */
export interface Beside {
  /** `.env` files that git tracks. */
  readonly tracked: readonly string[];
  readonly ages: readonly EnvironmentAge[];
  readonly gates: readonly EnvironmentGates[];
  readonly parts: readonly Part[];
}

/**
 * The smoke check as people read it; CI logs are searched for its lines, so the form is fixed.
 *
 * @param unmet where the contract is not met
 */
export function text(report: Report, unmet: Unmet | undefined, { tracked, ages, gates, parts }: Beside): string {
  const now = new Date();
  const sections = [
    [
      "--- ESC Configuration ---",
      ...[report.esc.environment, report.esc.credential].map((one) => escLine(one, report)),
      ...ages.map((age) => environmentLine(age, now)),
      ...gates.map((one) => `⏸️ ${gateWords(one)}`),
    ],
    ...report.sections.map(({ title, lines }) => [`--- ${title} ---`, ...lines.map((one) => line(one, report))]),
    ...sources(report),
    ...parts.map(({ section }) => section.flatMap((one) => wrap(one, WIDTH, INDENT))),
    ["--- Summary ---", ...summary(report, unmet, parts), ...tracked.flatMap(trackedLines)],
  ];
  return ["=== Sophia Configuration Smoke Check ===", ...sections.flatMap((lines) => ["", ...lines]), ""].join("\n");
}

function escLine({ state, variable, shown = "" }: EscSetting, { met, esc }: Report): string {
  switch (state) {
    case "accepted":
      return `✅ ${variable}: ${shown}`;
    case "rejected":
      return `❌ ${variable}: ${shown} (${rejection(esc.failure?.code ?? "")})`;
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

/** Why, in a word; the summary has the whole. */
function rejection(code: string): string {
  switch (code) {
    case "esc-not-found":
      return "not found";
    case "esc-forbidden":
      return "access denied";
    case "esc-approval":
      return "approval needed";
    case "esc-credential":
      return "cannot be used";
    default:
      return "not accepted";
  }
}

function line({ label, state, shown = "***", origin, withheld }: LineReport, report: Report): string {
  const from = origin === undefined || isMain(origin, report) ? "" : ` (${originWords(origin)})`;
  switch (state) {
    case "set":
      return `✅ ${label}: ${shown}${from}`;
    case "invalid":
      return `❌ ${label}: Not valid${from}`;
    case "missing":
      return `❌ ${label}: ${withheld === undefined ? "Not configured" : sentence(withheld)}`;
    case "unset":
      return `➖ ${label}: ${withheld === undefined ? "Not configured" : sentence(withheld)}`;
  }
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The ESC environment that most lines are about: the last one, which wins. They need not say so. */
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

/** Where the lines come from that do not say so. */
function sources(report: Report): readonly (readonly string[])[] {
  const main = mainOf(report);
  const isUsed = report.sections.some(({ lines }) =>
    lines.some(({ origin }) => origin !== undefined && isMain(origin, report)),
  );
  if (main === undefined || !isUsed) return [];
  return [["--- Sources ---", `✅ ESC ${environmentWords(main)} (where a line names no other source)`]];
}

function summary(report: Report, unmet: Unmet | undefined, parts: readonly Part[]): readonly string[] {
  const failed = parts.filter(({ failures }) => failures.length > 0);
  return [
    ...(unmet === undefined && failed.length > 0 ? [] : outcome(report, unmet)),
    ...failed.flatMap(({ failures: [first = "", ...rest] }) => [...marked("❌", first), ...rest.flatMap(indented)]),
    ...fault(report),
    ...overridden(report),
  ];
}

function outcome(report: Report, unmet: Unmet | undefined): readonly string[] {
  if (unmet === undefined) {
    const labels = enumerate(report.sources.map((source) => sourceOf(source).label + ageOf(source, report)));
    return [`✅ All checks passed!${labels === "" ? "" : ` Configuration loaded from ${labels}`}`];
  }
  const { unwritten, cause = [], findings, remedy } = unmet;
  const [first, ...rest] = cause;
  return [
    ...(unwritten === undefined ? [] : [...marked("⚠️", sentence(unwritten[0])), ...indented(unwritten[1])]),
    ...(first === undefined ? [] : marked("❌", first)),
    ...rest.flatMap(indented),
    `❌ ${count(report.violations.length, "check")} failed`,
    ...findings.flatMap(({ kind, text: words, advice }) => [
      ...(kind === "violation" ? marked("❌", words) : indented(words)),
      ...advice.flatMap(indented),
    ]),
    ...remedy.flatMap(indented),
  ];
}

function ageOf(source: SourceId, report: Report): string {
  const age = source === "esc" ? mainOf(report)?.ageSeconds : undefined;
  return age === undefined ? "" : ` (${keptWords(age)})`;
}

/** An ESC that could not be read, where the contract is met all the same. */
function fault({ met, esc }: Report): readonly string[] {
  if (!met || esc.failure === undefined) return [];
  return [...marked("⚠️", esc.failure.message), ...esc.failure.further.flatMap(indented)];
}

function overridden({ overridden: names }: Report): readonly string[] {
  if (names.length === 0) return [];
  const them = names.length === 1 ? "it" : "them";
  return marked("⚠️", `The environment overrides ESC for ${enumerate(names)}; unset ${them} there to use ESC's`);
}

function trackedLines(file: string): readonly string[] {
  const name = shellWord(file);
  return [
    ...marked("⚠️", `Git tracks ${file}: who has the repository has its values. Replace its secrets, then`),
    ...indented(`git rm --cached -- ${name}`),
    ...indented("and name it in .gitignore"),
  ];
}

function marked(mark: string, words: string): readonly string[] {
  return wrap(`${mark} ${words}`, WIDTH, INDENT);
}

function indented(words: string): readonly string[] {
  return wrap(words, INDENTED, "  ").map((one) => INDENT + one);
}
