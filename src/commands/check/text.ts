import { sourceOf } from "../../resolve/sources.ts";
import type { LineReport, Report } from "../../output/report.ts";
import { count, enumerate } from "../../core/text.ts";

/** The smoke check as people read it; CI logs are searched for its lines, so the form is fixed. */
export function text(report: Report): string {
  const sections = [
    ["--- ESC Configuration ---", ...escLines(report)],
    ...report.sections.map(({ title, lines }) => [`--- ${title} ---`, ...lines.map(line)]),
    ["--- Summary ---", ...summary(report)],
  ];
  return ["=== Sophia Configuration Smoke Check ===", ...sections.flatMap((lines) => ["", ...lines]), ""].join("\n");
}

function escLines({ esc }: Report): string[] {
  const lines = [
    esc.environment === undefined ? "❌ ESC_ENV: Not configured" : `✅ ESC_ENV: ${esc.environment}`,
    esc.credential === undefined
      ? "❌ ESC_TOKEN: Not configured"
      : `✅ ${esc.credential.variable}: ${esc.credential.shown}`,
  ];
  if (esc.failure !== undefined) {
    lines.push(`⚠️ ${esc.failure.message}`, ...esc.failure.further.map((more) => `   ${more}`));
  }
  return lines;
}

function line({ label, state, masked }: LineReport): string {
  switch (state) {
    case "set":
      return `✅ ${label}: ${masked ?? "***"}`;
    case "invalid":
      return `❌ ${label}: Not valid`;
    case "missing":
      return `❌ ${label}: Not configured`;
    case "unset":
      return `➖ ${label}: Not configured`;
  }
}

function summary(report: Report): string[] {
  if (report.met) {
    const sources = enumerate(report.sources.map((source) => sourceOf(source).label));
    return [`✅ All checks passed!${sources === "" ? "" : ` Configuration loaded from ${sources}`}`];
  }
  return [
    `❌ ${count(report.violations.length, "check")} failed`,
    ...report.violations.flatMap(({ message, remedies }) => [`❌ ${message}`, ...remedies.map((one) => `   ${one}`)]),
  ];
}
