import { describe, expect, test } from "vitest";
import { COMMAND_NAMES } from "../../src/command-line/command-line.ts";
import { COMMANDS } from "../../src/commands/registry.ts";
import { OPTION_NAMES, variableOf } from "../../src/command-line/options.ts";
import { folder, sophia } from "../helpers/sophia.ts";

const widest = (text: string): number => Math.max(...text.split("\n").map((line) => Array.from(line).length));

describe("help", () => {
  test("of the program: every option, variable and subcommand, in 80 columns", async () => {
    const { status, stdout, stderr } = await sophia(["--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(widest(stdout)).toBeLessThanOrEqual(80);
    for (const name of OPTION_NAMES) {
      expect(stdout).toMatch(new RegExp(`--${name}[ \\n]`));
      expect(stdout).toContain(`[${variableOf(name)}]`);
    }
    for (const name of COMMAND_NAMES) expect(stdout).toMatch(new RegExp(`^ +(?:sophia-run )?${name} `, "m"));
    expect(await sophia(["-h"])).toMatchObject({ status: 0, stdout });
    expect(await sophia(["--quiet", "--help"])).toMatchObject({ status: 0, stdout });
    expect(await sophia(["-qh"])).toMatchObject({ status: 0, stdout });
  });

  test.each(COMMAND_NAMES)("of %s: its own options and examples, in 80 columns", async (name) => {
    const { status, stdout, stderr } = await sophia([name, "--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: sophia-run ${name} `));
    const [prose = ""] = stdout.split("\nExamples:");
    expect(widest(prose)).toBeLessThanOrEqual(80);
    expect(widest(stdout)).toBeLessThanOrEqual(100);
    for (const option of Object.keys(COMMANDS[name].options ?? {})) expect(stdout).toContain(`--${option}`);
    for (const example of COMMANDS[name].examples) expect(stdout).toContain(`  ${example}\n`);
    expect((await sophia([name, "-h"])).stdout).toBe(stdout);
    // It is asked for, whatever else is there.
    expect((await sophia(["--dotenv", "x", name, "--help"])).stdout).toBe(stdout);
  });

  test("the version", async () => {
    for (const args of [["--version"], ["-V"], ["check", "--version"]]) {
      expect(await sophia(args)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/) });
    }
  });
});

describe("mistakes in a subcommand", () => {
  test.each([
    [["check", "--jsno"], "unknown option --jsno of check", "did you mean --json?"],
    [["check", "json"], "check takes no arguments\n", "did you mean --json?"],
    [["check", "--", "true"], "check takes no arguments\n", "sophia-run check --help"],
    [["check", "--against"], "option --against needs a value", "sophia-run check --help"],
    [["check", "--against="], "option --against needs a value", "sophia-run check --help"],
    [["check", "--json=yes"], "option --json takes no value", "sophia-run check --help"],
    [["export", "--format", "yaml"], "--format cannot be 'yaml'", "allowed: dotenv, shell, fish, json, github, docker"],
    [["init", "--from", "exmaple"], "--from cannot be 'exmaple'", "did you mean example?"],
    [["init", "here"], "init takes no arguments\n", "sophia-run init --help"],
    [["completion"], "completion needs SHELL: bash, zsh, fish", "sophia-run completion --help"],
    [["completion", "bash", "zsh"], "completion takes no more than SHELL\n", "sophia-run completion --help"],
    [["completion", "fihs"], "completion does not know this SHELL\n", "did you mean fish?"],
    [["docs", "--only"], "unknown option --only of docs", "did you mean"],
  ])("%j", async (args, message, hint) => {
    const ended = await sophia(args, { cwd: folder() });
    expect(ended).toMatchObject({ status: 125, stdout: "" });
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).toContain(hint);
  });
});

test("options may stand in front of the subcommand, or behind it", async () => {
  const cwd = folder({ "my.env": "X=1\n" });
  const before = await sophia(["--dotenv", "my.env", "explain", "X"], { cwd });
  expect(before.stdout).toContain("from     my.env:1");
  expect((await sophia(["explain", "X", "--dotenv=my.env"], { cwd })).stdout).toBe(before.stdout);
  // The value of an option is no subcommand.
  expect((await sophia(["--dotenv", "check", "--", "true"], { cwd })).stderr).toContain("check does not exist");
});

test("each help text has the exit statuses of its command", async () => {
  const { stdout } = await sophia(["import", "--help"]);
  expect(stdout.replaceAll(/\s+/g, " ")).toContain(
    "Exit status: 0: ESC has what the file has; 1: a variable was left out",
  );
});
