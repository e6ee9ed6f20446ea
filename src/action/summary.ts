/**
 * Writes the summary of the GitHub Action, which GitHub shows on the page of the workflow run. It is Markdown with the names, states and
 * sources of the variables, and without their values.
 */
import { shortenPath } from "../contract/file/contract-text.ts";
import { printable } from "../core/text.ts";
import { limitLines } from "../core/lines.ts";
import { byInput } from "./inputs.ts";
import { describeContract, type Report, type State } from "../output/report.ts";
import { MAX_SHOWN_VIOLATIONS } from "../output/violations.ts";
import { originWords } from "../resolve/source-words.ts";

/** The runner rejects a summary that is too large. The limit of its old versions is 128 KiB. */
const MAX_SUMMARY_BYTES = 100_000;

const STATES: Readonly<Record<State, string>> = {
  set: "✅ set",
  unset: "➖ not set",
  missing: "❌ missing",
  invalid: "❌ invalid",
};

const LEFT_OUT = "➖ left out";

/** The words for ESC if no environment was read. */
const NOT_READ: Readonly<Record<Report["esc"]["status"], string>> = {
  off: "not configured",
  incomplete: "not read",
  unconsented: "not allowed",
  fake: "not used",
  read: "no variables",
  unavailable: "not available",
  refused: "refused",
};

/**
 * Returns the summary as Markdown.
 *
 * @param outcome a sentence about the result
 * @param workspace the folder of the repository, for the path of the contract
 * @param leftOutReason returns why a variable was left out, if a source has it
 */
export function describeStep(
  report: Report,
  outcome: string,
  workspace: string,
  leftOutReason: (name: string) => string | undefined,
): string {
  const { met, esc, variables, violations } = report;
  const { source } = report.contract;
  const contract =
    source === "built-in" ? report.contract : { ...report.contract, source: shortenPath(source, workspace) };
  const environments = esc.environments.map(({ name }) => name).join(", ");
  const escWords = environments === "" ? NOT_READ[esc.status] : environments;
  const lines = [
    `### ${met ? "✅ Configuration complete" : "❌ Configuration incomplete"}`,
    "",
    `${escaped(outcome)} Contract: ${escaped(describeContract(contract))}. ESC: ${escaped(escWords)}.`,
    "",
    ...(esc.failure === undefined ? [] : [`⚠️ ${escaped(esc.failure.message)}`, ""]),
    ...limitLines(
      violations.map(({ message }) => `❌ ${escaped(message)}`),
      MAX_SHOWN_VIOLATIONS,
    ).map((line) => `- ${line}`),
    ...(violations.length === 0 ? [] : [""]),
    ...(variables.length === 0 ? [] : ["| Variable | State | From |", "| --- | --- | --- |"]),
  ];
  let remainingBytes = MAX_SUMMARY_BYTES - lines.join("\n").length;
  let rowCount = 0;
  for (const { name, state, origin } of variables) {
    const reason = state === "unset" ? leftOutReason(name) : undefined;
    const stateWords = reason === undefined ? STATES[state] : LEFT_OUT;
    const from = byInput(reason ?? (origin === undefined ? "" : originWords(origin)));
    const row = `| ${escaped(name)} | ${stateWords} | ${escaped(from)} |`;
    remainingBytes -= Buffer.byteLength(row) + 1;
    if (remainingBytes < 0) break;
    lines.push(row);
    rowCount += 1;
  }
  if (rowCount < variables.length) lines.push("", `and ${variables.length - rowCount} more`);
  return `${lines.join("\n")}\n\n`;
}

/** Escapes what Markdown or HTML would interpret, and characters that are not printable. */
function escaped(text: string): string {
  return printable(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/[\\`*_[\]|~#$]/g, String.raw`\$&`);
}
