/** The summary of a step: names, states and sources, no values. */
import { shownPath } from "../contract/file/contract-text.ts";
import { printable } from "../core/text.ts";
import { limitLines } from "../core/lines.ts";
import { byInput } from "./inputs.ts";
import { contractWords, type Report, type State } from "../output/report.ts";
import { MAX_SHOWN } from "../output/violations.ts";
import { originWords } from "../resolve/source-words.ts";

/** The runner rejects a summary that is too large; the limit of old versions is 128 KiB. */
const MAX_TABLE = 100_000;

const STATES: Readonly<Record<State, string>> = {
  set: "✅ set",
  unset: "➖ not set",
  missing: "❌ missing",
  invalid: "❌ invalid",
};

const LEFT_OUT = "➖ left out";

const NOT_READ: Readonly<Record<Report["esc"]["status"], string>> = {
  off: "not configured",
  incomplete: "not read",
  unconsented: "not allowed",
  fake: "not used",
  read: "no variables",
  unavailable: "not available",
  refused: "refused",
};

/** @param leftOut the reason why a variable that a source has was left out */
export function summary(
  report: Report,
  outcome: string,
  workspace: string,
  leftOut: (name: string) => string | undefined,
): string {
  const { met, esc, variables, violations } = report;
  const { source } = report.contract;
  const contract =
    source === "built-in" ? report.contract : { ...report.contract, source: shownPath(source, workspace) };
  const environments = esc.environments.map(({ name }) => name).join(", ");
  const lines = [
    `### ${met ? "✅ Configuration complete" : "❌ Configuration incomplete"}`,
    "",
    `${escaped(outcome)} Contract: ${escaped(contractWords(contract))}. ESC: ${escaped(environments === "" ? NOT_READ[esc.status] : environments)}.`,
    "",
    ...(esc.failure === undefined ? [] : [`⚠️ ${escaped(esc.failure.message)}`, ""]),
    ...limitLines(
      violations.map(({ message }) => `❌ ${escaped(message)}`),
      MAX_SHOWN,
    ).map((line) => `- ${line}`),
    ...(violations.length === 0 ? [] : [""]),
    ...(variables.length === 0 ? [] : ["| Variable | State | From |", "| --- | --- | --- |"]),
  ];
  let left = MAX_TABLE - lines.join("\n").length;
  let shown = 0;
  for (const { name, state, origin } of variables) {
    const why = state === "unset" ? leftOut(name) : undefined;
    const from = byInput(why ?? (origin === undefined ? "" : originWords(origin)));
    const row = `| ${escaped(name)} | ${why === undefined ? STATES[state] : LEFT_OUT} | ${escaped(from)} |`;
    left -= Buffer.byteLength(row) + 1;
    if (left < 0) break;
    lines.push(row);
    shown += 1;
  }
  if (shown < variables.length) lines.push("", `and ${variables.length - shown} more`);
  return `${lines.join("\n")}\n\n`;
}

function escaped(text: string): string {
  return printable(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/[\\`*_[\]|~#$]/g, String.raw`\$&`);
}
