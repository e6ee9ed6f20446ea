/**
 * Writes the table of faults of ESC for the documentation, from the cases and from starts of sophia-run, and reads its
 * rows again.
 */
import { list, table, wrap } from "../../../scripts/markdown.ts";
import type { ProcessResult } from "../run-program.ts";
import type { FaultCase } from "./case.ts";

export interface FaultRow {
  readonly one: FaultCase;
  /** The requests that reached the service. */
  readonly calls: readonly string[];
  /** The start without options, and with `--require-esc`. */
  readonly launched: ProcessResult;
  readonly required: ProcessResult;
}

const HEAD = `# Faults of ESC

<!-- made by npx tsx scripts/faults.ts; do not edit -->

${wrap(
  "Look up here what sophia-run does if Pulumi ESC (Environments, Secrets, and Configuration), the network or a " +
    "credential fails. After most faults it warns, and the program starts:",
)}

\`\`\`console
$ PULUMI_BACKEND_URL=http://127.0.0.1:1 sophia-run -- node app.js
sophia-run: warning: ESC environment acme/sophia/dev cannot be read: 127.0.0.1:1
  refused the connection (ECONNREFUSED) (2 attempts); continuing with the
  environment and .env files
  check the network, the proxies (HTTPS_PROXY, NO_PROXY) and PULUMI_BACKEND_URL
\`\`\`

The last column of the tables says what happens to the program:

${list([
  "**Emergency access**: the program starts with the environment and the `.env` files, after a warning.",
  "**The environment alone**: the service has refused access (401, 403, 404, a required approval, a rejected ID token). " +
    "`.env` files are not used; unset `ESC_TOKEN` to use them.",
  "**Starts without ESC**: nothing is opened; the environment and the `.env` files are used.",
  "**Is not started**: the exit status is 125, or 78 if the values violate the contract.",
])}

${wrap(
  "In the first three, the contract decides whether the values suffice (else 78). With `--require-esc` the exit status " +
    "is 125.",
)}

${list([
  "**Deadline**: `--timeout` (30 s by default) covers all requests. Connecting and the first byte of a read may take 5 s " +
    "each. If no host was reached, there are two attempts.",
  "**Retries**: opening is retried at most twice, because each time may create credentials. Reading is retried at most " +
    "four times, in the same session.",
  "**Name resolution** may outlast the deadline. The program starts in time, but in spawn mode sophia-run ends only when " +
    "the system's resolver gives up.",
  "**Requests** are those that reached the service.",
  "**Messages** are below each table, with the numbers of their rows, and show the part that differs: here, what is " +
    "between `cannot be read:` (or `was refused:`) and the number of attempts. Capitals stand for parts that vary.",
])}

The tests cause each fault with real sockets, a real proxy and a real certificate authority, and compare each row.
`;

/** Returns docs/faults.md: for each group a table, and each message with the numbers of its rows. */
export function faultDocument(
  groups: readonly { readonly group: string; readonly rows: readonly FaultRow[] }[],
): string {
  const sections = groups.map(({ group, rows }) => {
    const cells = rows.map(cellsOf);
    const numbersByMessage = new Map<string, number[]>();
    for (const [index, [, , , , text = ""]] of cells.entries()) {
      if (text !== NO_MESSAGE) numbersByMessage.set(text, [...(numbersByMessage.get(text) ?? []), index + 1]);
    }
    const head = ["no.", "fault", "behaviour", "requests", "program"];
    const shown = list(Array.from(numbersByMessage, ([text, numbers]) => `**${numbers.join(", ")}**: ${text}`));
    return `## ${group}\n\n${table(
      head,
      cells.map((row, index) => [`${index + 1}`, ...row.slice(0, -1)]),
    )}\n\n${shown}\n`;
  });
  return `${HEAD}\n${sections.join("\n")}\n<!-- end -->\n`;
}

const NO_MESSAGE = "–";

/** Returns a row's cells, the last of which is the message. */
export function cellsOf(row: FaultRow): readonly string[] {
  return [row.one.fault, row.one.behaviour, describeRequests(row.calls), describeProgram(row), describeMessage(row)];
}

/** Returns the rows of a document that {@link faultDocument} made. */
export function documentedRows(
  document: string,
): readonly { readonly group: string; readonly cells: readonly string[] }[] {
  return document
    .split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const group = section.slice(0, section.indexOf("\n"));
      const items = section.replaceAll("\n  ", " ").matchAll(/^- \*\*(.*?)\*\*: (.*)$/gm);
      const messages = new Map(
        Array.from(items).flatMap(([, numbers = "", text = ""]) =>
          numbers.split(", ").map((number): readonly [string, string] => [number, text]),
        ),
      );
      const rows = section.split("\n").filter((line) => line.startsWith("| "));
      return rows.slice(2).map((line) => {
        const [number = "", ...cells] = line
          .slice(2, -2)
          .split(" | ")
          .map((cell) => cell.trim());
        return { group, cells: [...cells, messages.get(number) ?? NO_MESSAGE] };
      });
    });
}

/** Returns requests as `open ×3, read`. */
function describeRequests(calls: readonly string[]): string {
  const counts: { name: string; times: number }[] = [];
  for (const name of calls) {
    const last = counts.at(-1);
    if (last?.name === name) last.times += 1;
    else counts.push({ name, times: 1 });
  }
  if (counts.length === 0) return "–";
  return counts.map(({ name, times }) => (times === 1 ? name : `${name} ×${times}`)).join(", ");
}

function describeProgram({ one }: FaultRow): string {
  switch (one.expect.kind) {
    case "read":
      return "starts";
    case "unavailable":
      return "emergency access";
    case "refused":
      return "the environment alone";
    case "unread":
      return "starts without ESC";
    case "stopped":
      return "is not started";
    case "unmet":
      return "is not started (78)";
    case "unwritten":
      return "nothing is changed";
  }
}

function describeMessage({ launched }: FaultRow): string {
  // A warning is broken into lines of 80 columns.
  const unbroken = launched.stderr.replaceAll("\n  ", " ");
  const first =
    /^.*?; continuing with the environment (?:and \.env files|alone)/.exec(unbroken)?.[0] ??
    firstMessage(launched.stderr);
  if (first === "") return NO_MESSAGE;
  return first
    .replace(/^sophia-run: (?:warning: (?:ESC environment \S+ (?:cannot be read|was refused): )?)?/, "")
    .replace(/(?: \(\d attempts\))?; continuing with the environment (?:and \.env files|alone)$/, "")
    .replace(/(was opened with warnings) .*$/, "$1")
    .replaceAll(/(127\.0\.0\.1|localhost):\d+/g, "$1:PORT")
    .replaceAll(/\((?:ENOTFOUND|EAI_AGAIN)\)/g, "(CODE)")
    .replaceAll(/than the [\d.]+ s left/g, "than the TIME left")
    .replace(/(which expire at) .*$/, "$1 TIME")
    .replaceAll(/\S+\/(?=\.pulumi\/)/g, "HOME/");
}

/** Returns the first message: a line continues it if its first word did not fit into the line above. */
function firstMessage(stderr: string): string {
  const [first = "", ...rest] = stderr.split("\n");
  let joined = first;
  let end = first;
  for (const line of rest) {
    const text = line.trimStart();
    if (text === "" || `${end} ${text.split(" ", 1)[0] ?? ""}`.length <= WIDTH) break;
    joined += ` ${text}`;
    end = line;
  }
  return joined;
}

const WIDTH = 80;
