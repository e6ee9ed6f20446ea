/** An MCP client reads JSON-RPC from standard output: nothing of sophia-run may be there, and masks keep it JSON. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { folder, sophia, unwrapLines } from "../helpers/sophia.ts";

/** Answers each line with one of JSON, in which the key stands in several ways; the last line has no line break. */
const SERVER = `
const { SEARCH_KEY: key } = process.env;
let text = "";
process.stdin.on("data", (data) => { text += data; }).on("end", () => {
  const answers = text.trim().split("\\n").map((line) => {
    const { id } = JSON.parse(line);
    const result = { key, nested: JSON.stringify({ key }), url: "https://h/?k=" + encodeURIComponent(key), [key]: 1 };
    return JSON.stringify({ jsonrpc: "2.0", id, result });
  });
  process.stdout.write(answers.join("\\n"));
});`;
const CALLS = '{"jsonrpc":"2.0","id":1,"method":"a"}\n{"jsonrpc":"2.0","id":2,"method":"b"}\n';

/** A key with what JSON escapes, and that begins as a message ends. */
const KEY = '}}"quoted\\and\nbroken-7d1f\\';

function createProject(): string {
  return folder({
    "sophia.contract.json": JSON.stringify({ variables: { SEARCH_KEY: { required: true } } }),
    // A notice: it would run code.
    ".env": "BASH_ENV=./x.sh\n",
    "server.cjs": SERVER,
  });
}

describe("a server for MCP writes only its messages to the standard output", () => {
  test.each([
    ["by itself", []],
    ["with --verbose", ["--verbose"]],
    ["in spawn mode", ["--verbose", "--mode", "spawn"]],
    ["under --kill-after", ["--kill-after", "1s"]],
    ["without a contract", ["--no-contract", "--verbose"]],
  ])("when it is started %s", async (_, options) => {
    const dir = createProject();
    const args = ["--project", dir, ...options, "--", process.execPath, join(dir, "server.cjs")];
    const { status, stdout, stderr } = await sophia(args, { env: { SEARCH_KEY: KEY }, input: CALLS });
    expect([status, unwrapLines(stderr)]).toEqual([0, expect.stringContaining("BASH_ENV")]);
    expect(stdout.split("\n").map((line) => JSON.parse(line))).toMatchObject([
      { id: 1, result: { key: KEY } },
      { id: 2, result: { key: KEY } },
    ]);
  });

  test.each([
    ["always", {}],
    ["auto", { CLAUDECODE: "1" }],
  ])("when it is started with --redact=%s, which keeps each message a line of JSON", async (when, more) => {
    const dir = createProject();
    const args = ["--project", dir, `--redact=${when}`, "--verbose", "--", process.execPath, join(dir, "server.cjs")];
    const { status, stdout } = await sophia(args, { env: { SEARCH_KEY: KEY, ...more }, input: CALLS });
    expect(status).toBe(0);
    const result = { key: "***", nested: '{"key":"***"}', url: "https://h/?k=***", "***": 1 };
    expect(stdout.split("\n").map((line) => JSON.parse(line))).toEqual([
      { jsonrpc: "2.0", id: 1, result },
      { jsonrpc: "2.0", id: 2, result },
    ]);
  });
});

describe("a start of a server for MCP that fails gives the reason in the first line of standard error, and nothing on standard output,", () => {
  const ESC = { ESC_ENV: "acme/sophia/dev", ESC_TOKEN: "pul-0123456789", PULUMI_BACKEND_URL: "http://127.0.0.1:1" };

  test.each<[string, readonly string[], Readonly<Record<string, string>>, number, RegExp]>([
    [
      "a missing key",
      ["--", "node", "x"],
      {},
      78,
      /^sophia-run: the contract is not met .*; node was not started ✗ SEARCH_KEY is required/,
    ],
    [
      "a missing command",
      ["--", "no-such-server"],
      { SEARCH_KEY: "k" },
      127,
      /^sophia-run: no-such-server: command not found/,
    ],
    ["an unknown option", ["--scoop", "a", "--", "node"], {}, 125, /^sophia-run: unknown option --scoop/],
    ["an unknown scope", ["--scope", "a", "--", "node"], {}, 125, /^sophia-run: .* has no scope "a"/],
    [
      "no ESC",
      ["--require-esc", "--timeout", "1s", "--", "node"],
      ESC,
      125,
      /^sophia-run: ESC environment acme\/sophia\/dev cannot/,
    ],
    ["no token", ["--require-esc", "--", "node"], { ESC_ENV: "a/b/c" }, 125, /^sophia-run: .*ESC_TOKEN/],
  ])("in case of %s", async (_, args, env, expected, first) => {
    for (const options of [[], ["--verbose"], ["--redact"]]) {
      const all = ["--project", createProject(), ...options, ...args];
      const { status, stdout, stderr } = await sophia(all, { env, input: CALLS });
      expect([status, stdout]).toEqual([expected, ""]);
      // With --verbose the steps that went well come first.
      expect(unwrapLines(stderr)).toMatch(options[0] === "--verbose" ? new RegExp(first, "m") : first);
    }
  });
});
