import { afterAll, beforeAll, expect, test } from "vitest";
import { columnsOf } from "../../src/core/lines.ts";
import { addSophiaEnvironment, escVariables, sentinelOf } from "../commands/sophia-environment.ts";
import { type EscServer, startEscServer } from "../esc-server/index.ts";
import { CONTRACT_VALUES, folder } from "../helpers/sophia.ts";
import { atTerminal, type Step } from "../helpers/terminal.ts";

/** Commands and values to be pasted, rows of tables and places in files: never broken, whatever the width. */
const WHOLE =
  /sophia-run (?:-|\w+ )|git clone |pulumi |curl |npm install |docker |kubectl |systemctl |git rm|chmod |--allow |read -rs|--file -|:\d+: |^\s*(?:see +)?\S+$|^. \w+ {2,}|^ *"\w+": \{/;

const FILES = {
  ".env":
    "ESC_REGION=somewhere\nNODE_OPTIONS=--inspect\nPYTHONSTARTUP=x.py\nSESSION_SECRET=not-a-word-0001\nLONGER_SECRET=not-a-word-0002\n",
  "found.txt": "not-a-word-0001\n",
};

interface Case {
  readonly args: readonly string[];
  readonly env?: (server: EscServer) => Readonly<Record<string, string>>;
  readonly answers?: readonly Step[];
  /** Files besides those of all cases. */
  readonly files?: Readonly<Record<string, string>>;
  readonly shows: RegExp;
}

const withEsc = (server: EscServer): Record<string, string> => escVariables(server);
const withAdmin = (server: EscServer): Record<string, string> => ({
  ...escVariables(server),
  ESC_ADMIN_TOKEN: server.token,
});

const CASES: Readonly<Record<string, Case>> = {
  help: { args: ["--help"], shows: /Set up:/ },
  "all of the help": { args: ["--help=all"], shows: /SOPHIA_DOTENV/ },
  "help of a command": { args: ["check", "--help=all"], shows: /Usage: sophia-run check/ },
  "an unmet contract": {
    args: ["--", "true"],
    env: () => ({ QDRANT_URL: "https://q.example.test" }),
    shows: /QDRANT_API_KEY/,
  },
  "no contract": { args: ["--", "true"], shows: /sophia-run init/ },
  "notices of a start": {
    args: ["--", "true"],
    env: (server) => ({ ...withEsc(server), QDRANT_URL: "https://q.example.test", GITHUB_PAT: "ghp_0000000000000001" }),
    shows: /ESC_REGION.*QDRANT_URL/s,
  },
  "the masking notice": {
    args: ["--no-contract", "--", "sh", "-c", "echo $OPENAI_API_KEY"],
    env: () => ({ ...CONTRACT_VALUES, AI_AGENT: "1" }),
    shows: /\*\*\*/,
  },
  check: { args: ["check"], shows: /❌/ },
  "check, met": { args: ["check"], env: withEsc, shows: /All checks passed/ },
  "check --overdue": { args: ["check", "--overdue"], env: withEsc, shows: /--- / },
  explain: { args: ["explain"], env: withEsc, shows: /withheld/ },
  "explain NAME": { args: ["explain", "QDRANT_URL", "NODE_OPTIONS"], shows: /QDRANT_URL/ },
  "export to a terminal": { args: ["export"], env: () => CONTRACT_VALUES, shows: /--reveal/ },
  scan: { args: ["scan"], shows: /Replace\s+them/ },
  import: {
    args: ["import", ".env"],
    env: withAdmin,
    answers: [["[y/N] ", "n\n"]],
    shows: /4 variables.* \[y\/N\]/s,
  },
  "rotate --dry-run": {
    args: ["rotate", "QDRANT_API_KEY", "--generate", "--dry-run"],
    env: withAdmin,
    shows: /QDRANT_API_KEY/,
  },
  "the question for a token": {
    args: ["import", ".env", "--dry-run", "--in", "acme/sophia/dev"],
    env: (at) => ({ PULUMI_BACKEND_URL: at.url }),
    answers: [["shown): ", "no-token\n"]],
    shows: /token/,
  },
  request: { args: ["request", "--reason", "deploy of 2.4"], env: withEsc, shows: /requested/ },
  "the questions of init": {
    args: ["init"],
    files: { "package.json": "{}", "package-lock.json": "{}", "server.js": "" },
    answers: [
      ["none: ", "\n"],
      ["none: ", "\n"],
    ],
    shows: /1 {2}docker {8}Dockerfile and .*1 {2}ESC_REGION/s,
  },
  "the messages of --verbose": {
    args: ["--verbose", "--", "true"],
    env: withEsc,
    shows: /sophia-run: contract: .*sophia-run: ESC acme/s,
  },
  audit: { args: ["audit"], env: withEsc, shows: /QDRANT_API_KEY/ },
  "docs --check": { args: ["docs", "--check"], shows: /out\s+of\s+date/ },
  "a mistake": { args: ["check", "--fromm"], shows: /--fromm/ },
  "an option of others": { args: ["rotate", "--fake", "A"], shows: /--fake/ },
};

let server: EscServer;
beforeAll(async () => {
  server = await startEscServer();
  addSophiaEnvironment(server);
  server.environment("acme/sophia/other", { values: { LOG_LEVEL: "info", X: sentinelOf("x") } });
});
afterAll(async () => server[Symbol.asyncDispose]());

async function shownAt(columns: number, { args, env = () => ({}), answers = [], files = {} }: Case): Promise<string> {
  const { stdout } = await atTerminal(
    args,
    { cwd: folder({ ...FILES, ...files }), env: { ...env(server), TERM: "dumb" } },
    answers,
    columns,
  );
  // On a slow machine the expected text may disappear again.
  const kept = stdout
    .split(CLEAR_LINE)
    .map((part, index, all) => (index + 1 < all.length ? part.replace(/sophia-run: [^\n]*…$/, "") : part));
  return kept.join("").replaceAll("\r\n", "\n");
}

const CLEAR_LINE = "\r\u001B[K";

/** Returns the words in their order, without line breaks. */
const wordsOf = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== "");

test.each(Object.entries(CASES))("sophia-run %s wraps between words", async (_, one) => {
  const [usual, ...narrow] = await Promise.all([80, 40, 60].map((columns) => shownAt(columns, one)));
  expect(usual).toMatch(one.shows);
  for (const [index, columns] of [40, 60].entries()) {
    const shown = narrow[index] ?? "";
    expect(wordsOf(shown)).toEqual(wordsOf(usual ?? ""));
    const lines = shown.split("\n");
    expect(lines.filter((line) => columnsOf(line) > columns && !WHOLE.test(line))).toEqual([]);
  }
});

test("compare splits a table of environments into several at 40 columns, but none of its lines", async () => {
  const args = ["check", "--against", "acme/sophia/dev,acme/sophia/other,acme/sophia/base,acme/sophia/dev@1"];
  const narrow = await shownAt(40, { args, env: withEsc, shows: /./ });
  expect(narrow.split("Variable").length).toBeGreaterThan(2);
});

test.each([20, 39, 400])(
  "sophia-run at a terminal of %i columns prints lines of at least 40 and at most 80 columns",
  async (columns) => {
    const widest = (text: string): number => Math.max(...text.split("\n").map(columnsOf));
    const shown = widest(await shownAt(columns, { args: ["explain"], env: withEsc, shows: /./ }));
    expect(shown).toBe(widest(await shownAt(columns < 40 ? 40 : 80, { args: ["explain"], env: withEsc, shows: /./ })));
  },
);
