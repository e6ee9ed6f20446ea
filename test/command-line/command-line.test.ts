/** Tests how the words of a command line are read. */
import { describe, expect, test } from "vitest";
import { parseCommandLine, type Invocation } from "../../src/command-line/command-line.ts";
import { commandLineError } from "../../src/commands/command-line-errors.ts";
import type { SophiaError } from "../../src/core/error.ts";

const failure = (argv: readonly string[]): SophiaError => {
  const invocation = parseCommandLine(argv);
  if (invocation.kind !== "mistake") throw new Error(`not a mistake: ${invocation.kind}`);
  return commandLineError(invocation.mistake);
};

describe("the command line of a launch is read as the expected launch", () => {
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
    [["--", "check"], {}, ["check"]],
    [["--", ""], {}, [""]],
    [["--", "node", "--env-file=x"], {}, ["node", "--env-file=x"]],
  ])("%j", (argv, flags, command) => {
    expect(parseCommandLine(argv)).toEqual({ kind: "run", flags, command, hasDashes: true });
  });

  test.each([
    [["node", "server.js"], {}, ["node", "server.js"]],
    [["-q", "node", "x", "--help"], { quiet: true }, ["node", "x", "--help"]],
    [
      ["node", "--quiet", "-V", "--mode", "x", "--nonsense"],
      {},
      ["node", "--quiet", "-V", "--mode", "x", "--nonsense"],
    ],
    [["--dotenv", "f", "node"], { dotenv: ["f"] }, ["node"]],
    [["--mode", "check", "node"], { mode: "check" }, ["node"]],
    [["--no-contract", "psql", "check"], { "no-contract": true }, ["psql", "check"]],
    [["sh", "-c", "x", "--", "y"], {}, ["sh", "-c", "x", "--", "y"]],
    [["-v", "npm", "run", "x", "--", "--check"], { verbose: true }, ["npm", "run", "x", "--", "--check"]],
    [["node", "--", "--env-file=x"], {}, ["node", "--", "--env-file=x"]],
    [["-"], {}, ["-"]],
    [[""], {}, [""]],
    [["checks"], {}, ["checks"]],
  ])("without --: %j", (argv, flags, command) => {
    expect(parseCommandLine(argv)).toEqual({ kind: "run", flags, command, hasDashes: false });
  });
});

describe("the command line of a command is read as the expected command", () => {
  const rows: readonly (readonly [readonly string[], Invocation])[] = [
    [["check"], { kind: "subcommand", name: "check", words: [] }],
    [["check", "--json"], { kind: "subcommand", name: "check", words: ["--json"] }],
    [["-q", "check", "--json"], { kind: "subcommand", name: "check", words: ["-q", "--json"] }],
    [["check", "--", "true"], { kind: "subcommand", name: "check", words: ["--", "true"] }],
    [["--bogus", "check"], { kind: "subcommand", name: "check", words: ["--bogus"] }],
    [["check", "--help"], { kind: "subcommand", name: "check", words: ["--help"] }],
    [["--help"], { kind: "help", asked: "" }],
    [["-h"], { kind: "help", asked: "" }],
    [["-qh"], { kind: "help", asked: "" }],
    [["--quiet", "--help"], { kind: "help", asked: "" }],
    [["--bogus", "--help"], { kind: "help", asked: "" }],
    [["--help", "check"], { kind: "help", of: "check", asked: "" }],
    [["--help", "node"], { kind: "help", asked: "" }],
    [["--help=all"], { kind: "help", asked: "all" }],
    [["--help", "all", "check"], { kind: "help", of: "check", asked: "all" }],
    [["help"], { kind: "help-word", words: [] }],
    [["-q", "help", "check", "-h"], { kind: "help-word", words: ["check", "-h"] }],
    [["--", "help"], { kind: "run", flags: {}, command: ["help"], hasDashes: true }],
    [["--version"], { kind: "version" }],
    [["--version", "node"], { kind: "version" }],
    [["-qV"], { kind: "version" }],
    [["--version", "--help"], { kind: "help", asked: "" }],
    [["check", "--version"], { kind: "subcommand", name: "check", words: ["--version"] }],
    [["--version", "check"], { kind: "subcommand", name: "check", words: ["--version"] }],
    [["--get-yargs-completions", "a", "--"], { kind: "completion", words: ["a", "--"] }],
    [["--get-yargs-completions", "--", "a", "--"], { kind: "completion", words: ["a", "--"] }],
    [["--get-yargs-completions", "--", "a", "--env-file"], { kind: "completion", words: ["a", "--env-file"] }],
  ];
  test.each(rows)("%j", (argv, expected) => {
    expect(parseCommandLine(argv)).toEqual(expected);
  });

  test("leaves the words behind -- to the program", () => {
    expect(parseCommandLine(["--", "--help"]).kind).toBe("run");
    expect(parseCommandLine(["--quiet", "--", "check", "--version"]).kind).toBe("run");
  });
});

describe("a mistake in the command line is reported with a remedy", () => {
  test.each([
    [[], "no command to run", "sophia-run -- node app.js"],
    [["--quiet"], "no command to run", "sophia-run -- node app.js"],
    [["--"], "no command after --", "sophia-run -- node app.js"],
    [["-q", "--"], "no command after --", "sophia-run -- node app.js"],
    [["--qiet", "--", "a"], "unknown option --qiet", "--help"],
    [["--qiet", "a"], "unknown option --qiet", "--help"],
    [["--require", "--", "a"], "unknown option --require", "did you mean --require-esc?"],
    [["-z", "--", "a"], "unknown option -z", "--help"],
    [["--mode", "--", "a"], "option --mode needs a value", "--help"],
    [["--mode", "-q", "a"], "option --mode needs a value", "--help"],
    [["--quiet=yes", "--", "a"], "option --quiet takes no value", "--help"],
    [["node", "--env-file=secret", "a"], "the command's --env-file", "sophia-run [options] -- node"],
    [
      ["-q", "node", "--env-file-if-exists", "secret", "--"],
      "the command's --env-file",
      "sophia-run [options] -- node",
    ],
  ])("%j", (argv, message, hint) => {
    const error = failure(argv);
    expect(error.status).toBe(125);
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
    expect(`${error.message} ${error.hint}`).not.toContain("secret");
  });

  test.each([
    [["--env-file", "x", "node"]],
    [["--env-file=x", "--", "node"]],
    [["check", "--env-file=x"]],
    [["--help", "--env-file=x"]],
  ])("the old name of --dotenv: %j", (argv) => {
    expect(failure(argv)).toMatchObject({ status: 125, hint: undefined, message: expect.stringContaining("--dotenv") });
  });
});
