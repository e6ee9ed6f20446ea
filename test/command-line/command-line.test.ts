import { describe, expect, test } from "vitest";
import { parseCommandLine } from "../../src/command-line/command-line.ts";
import { SophiaError } from "../../src/core/error.ts";

const failure = (argv: readonly string[]): SophiaError => {
  try {
    parseCommandLine(argv);
  } catch (error) {
    if (error instanceof SophiaError) return error;
    throw error;
  }
  throw new Error("no error");
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
    [["--env-file", "a", "--env-file=b", "--", "c"], { "env-file": ["a", "b"] }, ["c"]],
    [["--no-contract", "--", "check"], { "no-contract": true }, ["check"]],
    [["--", ""], {}, [""]],
  ])("%j", (argv, flags, command) => {
    const invocation = parseCommandLine(argv);
    expect(invocation.kind).toBe("run");
    if (invocation.kind !== "run") return;
    expect({ ...invocation.flags }).toEqual(flags);
    expect(invocation.command).toEqual(command);
  });
});

describe("what the full parser reads", () => {
  test.each([[["check"]], [["check", "--json"]], [["--help"]], [["-h"]], [["--version"]], [["--quiet", "--help"]]])(
    "%j",
    (argv) => {
      expect(parseCommandLine(argv).kind).toBe("other");
    },
  );

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
