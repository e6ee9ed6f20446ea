import { describe, expect, test } from "vitest";
import { parseCommandLine, type Invocation } from "../../src/command-line/command-line.ts";
import { mistakeError } from "../../src/commands/mistakes.ts";
import type { SophiaError } from "../../src/core/error.ts";

const failure = (argv: readonly string[]): SophiaError => {
  const invocation = parseCommandLine(argv);
  if (invocation.kind !== "mistake") throw new Error(`not a mistake: ${invocation.kind}`);
  return mistakeError(invocation.mistake);
};

describe("a launch", () => {
  test.each([
    [["--", "true"], {}, ["true"]],
    [
      ["--", "printf", "007", "1e3", "--help", "--", "", "-abc"],
      {},
      ["printf", "007", "1e3", "--help", "--", "", "-abc"],
    ],
    [["--quiet", "--", "true"], { quiet: true }, ["true"]],
    [["-qv", "--", "true"], { quiet: true, verbose: true }, ["true"]],
    [["--mode", "spawn", "--", "a"], { mode: "spawn" }, ["a"]],
    [["--mode=spawn", "--mode=exec", "--", "a"], { mode: "exec" }, ["a"]],
    [["--dotenv", "a", "--dotenv=b", "--", "c"], { dotenv: ["a", "b"] }, ["c"]],
    [["--no-contract", "--", "check"], { "no-contract": true }, ["check"]],
    [["--", ""], {}, [""]],
  ])("%j", (argv, flags, command) => {
    expect(parseCommandLine(argv)).toEqual({ kind: "run", flags, command });
  });
});

describe("everything else", () => {
  const rows: readonly (readonly [readonly string[], Invocation])[] = [
    [["check"], { kind: "subcommand", name: "check", words: [] }],
    [["check", "--json"], { kind: "subcommand", name: "check", words: ["--json"] }],
    [["-q", "check", "--json"], { kind: "subcommand", name: "check", words: ["-q", "--json"] }],
    [["check", "--", "true"], { kind: "subcommand", name: "check", words: ["--", "true"] }],
    [["--bogus", "check"], { kind: "subcommand", name: "check", words: ["--bogus"] }],
    [["--help"], { kind: "help" }],
    [["-h"], { kind: "help" }],
    [["-qh"], { kind: "help" }],
    [["--quiet", "--help"], { kind: "help" }],
    [["--bogus", "--help"], { kind: "help" }],
    [["--help", "check"], { kind: "help", of: "check" }],
    [["--dotenv", "x", "check", "-vh"], { kind: "help", of: "check" }],
    [["--version"], { kind: "version" }],
    [["-qV"], { kind: "version" }],
    [["--version", "--help"], { kind: "help" }],
    [["check", "--version"], { kind: "subcommand", name: "check", words: ["--version"] }],
    [["--get-yargs-completions", "a", "--"], { kind: "completion", words: ["a", "--"] }],
  ];
  test.each(rows)("%j", (argv, expected) => {
    expect(parseCommandLine(argv)).toEqual(expected);
  });

  test("not what stands after --", () => {
    expect(parseCommandLine(["--", "--help"]).kind).toBe("run");
    expect(parseCommandLine(["--quiet", "--", "check", "--version"]).kind).toBe("run");
  });
});

describe("mistakes", () => {
  test.each([
    [[], "no command to run", "sophia-run -- node app.js"],
    [["--quiet"], "no command to run", "sophia-run -- node app.js"],
    [["--"], "no command after --", "sophia-run -- node app.js"],
    [["node", "app.js"], "'node' is neither", "sophia-run -- node app.js"],
    [["--quiet", "node", "app.js"], "'node' is neither", "sophia-run --quiet -- node app.js"],
    [["node", "--", "a b"], "'node' is neither", "sophia-run -- node 'a b'"],
    [["--qiet", "--", "a"], "unknown option --qiet", "--help"],
    [["--require", "--", "a"], "unknown option --require", "did you mean --require-esc?"],
    [["-z", "--", "a"], "unknown option -z", "--help"],
    [["--mode", "--", "a"], "option --mode needs a value", "--help"],
    [["--quiet=yes", "--", "a"], "option --quiet takes no value", "--help"],
  ])("%j", (argv, message, hint) => {
    const error = failure(argv);
    expect(error.status).toBe(125);
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
  });
});
