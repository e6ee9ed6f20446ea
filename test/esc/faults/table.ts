import type { Finished } from "../command.ts";
import type { FaultCase } from "./case.ts";

export interface FaultRow {
  readonly one: FaultCase;
  /** The requests that reached the service. */
  readonly calls: readonly string[];
  /** As a user meets it, and with `--require-esc`. */
  readonly launched: Finished;
  readonly required: Finished;
}

const HEAD = `# Faults of ESC

How sophia-run behaves when Pulumi ESC, the network or a credential fails. \`npm run faults\` writes the tables, and the tests
compare them row by row. Each fault is caused with real sockets, a real proxy and a real certificate authority.

- **Emergency access**: the program starts with the environment and the \`.env\` files, after a warning. If they do not meet
  the contract, the exit status is 78, and the message names both problems. With \`--require-esc\` the exit status is 125.
- **The environment alone**: the service refused (401, 403, 404, a missing approval, an ID token that is not accepted). The
  program starts if the process environment meets the contract without the \`.env\` files. To work from the files, unset
  \`ESC_TOKEN\`. With \`--require-esc\` the exit status is 125.
- \`--timeout\` (30 s by default) is the deadline of all requests. Opening is retried twice at most, since it may mint
  credentials, and reading four times, on the same session. The limit of connecting, and of the first byte of a read, is
  5 s. A host that was never reached is tried twice. Opening may take the whole time.
- The tables show the part of the message that differs. The whole one is \`warning: ESC environment NAME cannot be read: …
  (3 attempts); continuing with the environment and .env files\`, or \`… was refused: …; continuing with the environment
  alone\`. Lines of the definition, the request's ID and the remedy follow on separate lines.
- If the system's resolver hangs, the program starts in time, but sophia-run itself ends later: Node.js waits for the
  resolver. In exec mode there is no such process.
- Requests are those that reached the service. Variable parts are in capitals.
`;

/** The document: its text, then the tables in columns of equal width. */
export function faultDocument(
  groups: readonly { readonly group: string; readonly rows: readonly FaultRow[] }[],
): string {
  const sections = groups.map(({ group, rows }) => {
    const head = ["fault", "behaviour", "requests", "program", "exit status", "message"];
    return `## ${group}\n\n${table(head, rows.map(cellsOf))}`;
  });
  return `${HEAD}\n${sections.join("\n\n")}\n`;
}

/** A row's cells. */
export function cellsOf(row: FaultRow): readonly string[] {
  return [row.one.fault, row.one.behaviour, requests(row.calls), program(row), status(row), message(row)];
}

/** The rows of a document that {@link faultDocument} made: each heading with the cells below it. */
export function documentedRows(
  document: string,
): readonly { readonly group: string; readonly cells: readonly string[] }[] {
  return document
    .split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const [group = "", ...lines] = section.split("\n");
      const rows = lines.filter((line) => line.startsWith("| ")).slice(2);
      // A bar within a cell has a backslash before it.
      return rows.map((line) => ({
        group,
        cells: line
          .slice(2, -2)
          .split(/(?<!\\) \| /)
          .map((cell) => cell.trimEnd()),
      }));
    });
}

/** `open ×3, read`. */
function requests(calls: readonly string[]): string {
  const counts: { name: string; times: number }[] = [];
  for (const name of calls) {
    const last = counts.at(-1);
    if (last?.name === name) last.times += 1;
    else counts.push({ name, times: 1 });
  }
  if (counts.length === 0) return "–";
  return counts.map(({ name, times }) => (times === 1 ? name : `${name} ×${times}`)).join(", ");
}

function program({ one }: FaultRow): string {
  switch (one.expect.kind) {
    case "read":
      return "starts";
    case "unavailable":
      return "emergency access";
    case "refused":
      return "the environment alone";
    case "stopped":
      return "is not started";
  }
}

function status({ launched, required }: FaultRow): string {
  const plain = launched.status === 0 ? "the program's" : String(launched.status);
  return launched.status === required.status ? plain : `${plain}; ${required.status} if ESC is required`;
}

function message({ launched }: FaultRow): string {
  // A warning is broken into lines of 80 columns.
  const unbroken = launched.stderr.replaceAll("\n  ", " ");
  const first =
    /^.*?; continuing with the environment (?:and \.env files|alone)/.exec(unbroken)?.[0] ??
    firstMessage(launched.stderr);
  if (first === "") return "–";
  return first
    .replace(/^sophia-run: (?:warning: (?:ESC environment \S+ (?:cannot be read|was refused): )?)?/, "")
    .replace(/(?: \(\d attempts\))?; continuing with the environment (?:and \.env files|alone)$/, "")
    .replace(/(was opened with remarks) .*$/, "$1")
    .replaceAll(/(127\.0\.0\.1|localhost):\d+/g, "$1:PORT")
    .replaceAll(/\((?:ENOTFOUND|EAI_AGAIN)\)/g, "(CODE)")
    .replaceAll(/than the [\d.]+ s left/g, "than the TIME left")
    .replaceAll("|", "\\|");
}

/** The first message without the lines below it: a line continues if the next word had no room in it. */
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

function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(...[head, ...lines].map((line) => (line[column] ?? title).length)),
  );
  const row = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [row(head), row(widths.map((width) => "-".repeat(width))), ...lines.map(row)].join("\n");
}
