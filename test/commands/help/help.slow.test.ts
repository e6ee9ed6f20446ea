import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { COMMAND_NAMES, parseCommandLine } from "../../../src/command-line/command-line.ts";
import { DESCRIPTIONS } from "../../../src/command-line/descriptions.ts";
import { OPTION_NAMES, variableOf } from "../../../src/command-line/options.ts";
import { namesFor, TAKERS } from "../../../src/command-line/takers.ts";
import { dispatch } from "../../../src/commands/dispatch.ts";
import { type Topic, TOPIC_NAMES, TOPICS } from "../../../src/commands/help/topics.ts";
import { optionError } from "../../../src/commands/command-line-errors.ts";
import { COMMANDS } from "../../../src/commands/registry.ts";
import type { Context } from "../../../src/core/context.ts";
import { silentContext } from "../../helpers/silent-context.ts";
import { folder, isStandalone, sophia } from "../../helpers/sophia.ts";

const widest = (text: string): number => Math.max(...text.split("\n").map((line) => Array.from(line).length));
const linesOf = (text: string): number => text.trimEnd().split("\n").length;

/** Prints help in this process. */
async function helpOf(...args: readonly string[]): Promise<string> {
  const invocation = parseCommandLine(args);
  if (invocation.kind === "run") return expect.unreachable("a start");
  const [out, err]: [string[], string[]] = [[], []];
  const context: Context = {
    ...silentContext(import.meta.dirname),
    out: (data) => void out.push(data),
    err: (text) => void err.push(text),
  };
  expect([await dispatch(invocation, context), err.join("")]).toEqual([0, ""]);
  return out.join("");
}

const isShown = (stdout: string, option: string): boolean =>
  new RegExp(`^ +(?:-\\w, )?--${option}[ \\[]`, "m").test(stdout);

const BRIEF = OPTION_NAMES.filter((name) => DESCRIPTIONS[name].brief !== undefined);

describe("sophia-run --help", () => {
  test("lists the commands in groups and nine options, in 40 lines of 80 columns", async () => {
    const stdout = await helpOf("--help");
    expect(widest(stdout)).toBeLessThanOrEqual(80);
    expect(linesOf(stdout)).toBeLessThanOrEqual(40);
    for (const name of COMMAND_NAMES) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    const groups = Array.from(stdout.matchAll(/^(?!Usage|Options)(\w[\w ]*):$/gm), ([, group]) => group);
    expect(groups).toEqual(["Start", "Inspect", "Write", "Set up"]);
    expect(BRIEF).toHaveLength(9);
    const shownOptions = OPTION_NAMES.filter((name) => isShown(stdout, name));
    expect(shownOptions).toEqual(BRIEF);
    for (const args of [["-h"], ["--quiet", "--help"], ["-qh"], ["help"]]) {
      expect(await sophia(args)).toMatchObject({ status: 0, stdout, stderr: "" });
    }
  });

  test("lists every option with its variable, with =all", async () => {
    const stdout = await helpOf("--help=all");
    expect(widest(stdout)).toBeLessThanOrEqual(80);
    for (const name of OPTION_NAMES) {
      expect(isShown(stdout, name)).toBe(true);
      expect(stdout).toContain(`[${variableOf(name)}]`);
    }
    for (const name of COMMAND_NAMES) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    expect(await helpOf("help", "--help=all")).toBe(stdout);
  });
});

describe.each(TOPIC_NAMES)("the help of the topic %s", (name) => {
  test("has its text, its options, and the page with the rest, in 40 lines of 80 columns", async () => {
    const stdout = await helpOf("help", name);
    const topic: Topic = TOPICS[name];
    expect(widest(stdout)).toBeLessThanOrEqual(80);
    expect(linesOf(stdout)).toBeLessThanOrEqual(40);
    expect(OPTION_NAMES.filter((option) => isShown(stdout, option))).toEqual(
      OPTION_NAMES.filter((option) => (topic.options ?? BRIEF).includes(option)),
    );
    for (const command of topic.commands) expect(stdout).toContain(`sophia-run ${command}`);
    expect(existsSync(join(import.meta.dirname, "../../..", topic.documentPath))).toBe(true);
    expect(stdout).toContain(`/blob/main/${topic.documentPath}\n`);
    expect(await sophia(["help", name])).toMatchObject({ status: 0, stdout, stderr: "" });
  });
});

describe.each(COMMAND_NAMES)("the help of %s", (name) => {
  const commandOptions = Object.keys(COMMANDS[name].options ?? {});
  const shared = namesFor(name).filter((option) => !commandOptions.includes(option));
  test("has the command's own options, two examples and the groups of others, in 30 lines of 80 columns", async () => {
    const stdout = await helpOf(name, "--help");
    expect(stdout).toMatch(new RegExp(`^Usage: sophia-run ${name} `));
    expect(widest(stdout)).toBeLessThanOrEqual(80);
    expect(linesOf(stdout)).toBeLessThanOrEqual(30);
    expect(commandOptions.filter((option) => !isShown(stdout, option))).toEqual([]);
    expect(shared.filter((option) => isShown(stdout, option))).toEqual([]);
    const examples = COMMANDS[name].examples.map((one) => stdout.includes(`  ${one}\n`));
    expect(examples.filter(Boolean)).toHaveLength(Math.min(2, examples.length));
    expect(stdout.indexOf("Options:")).toBeLessThan(stdout.indexOf("Examples:"));
    for (const option of shared) expect(stdout.replaceAll("\n", " ")).toContain(DESCRIPTIONS[option].group);
    expect(await helpOf("help", name)).toBe(stdout);
    expect(await helpOf(name, "-h")).toBe(stdout);
    expect(await sophia(["--dotenv", "x", name, "--help"])).toMatchObject({ status: 0, stdout, stderr: "" });
  });

  test("lists with =all what the command can use, its own options first, and nothing else", async () => {
    const stdout = await helpOf(name, "--help=all");
    const shownOptions = OPTION_NAMES.filter((option) => isShown(stdout, option));
    expect(shownOptions.filter((option) => !commandOptions.includes(option))).toEqual(shared);
    for (const example of COMMANDS[name].examples) expect(stdout).toContain(`  ${example}\n`);
    const [first] = commandOptions;
    const [group] = shared.map((option) => DESCRIPTIONS[option].group);
    if (first !== undefined && group !== undefined)
      expect(stdout.indexOf(`--${first}`)).toBeLessThan(stdout.indexOf(`${group}:`));
    expect(await helpOf("help", name, "--help=all")).toBe(stdout);
  });

  test("lists no option that the command refuses; the error names the commands that accept it, in front of the command's name as well", async () => {
    const strangers = OPTION_NAMES.filter(
      (option) => !namesFor(name).includes(option) && !commandOptions.includes(option),
    );
    for (const option of strangers) {
      const { message, hint } = optionError({ kind: "unknown", shown: `--${option}`, at: 0 }, {}, name);
      expect(message).toBe(`option --${option} is not for ${name}`);
      for (const taker of TAKERS[option]) expect(hint).toContain(taker === "run" ? "starting a program" : taker);
    }
    for (const args of [
      [name, "--mode=exec"],
      ["--mode", "exec", name],
    ]) {
      const result = await sophia(args);
      expect(result).toMatchObject({ status: 125, stdout: "" });
      expect(result.stderr).toContain(`option --mode is not for ${name}`);
    }
  });
});

test("a start accepts each option", () => {
  expect(namesFor("run")).toEqual(OPTION_NAMES);
});

test("--version prints the version, then in brackets the form and the commit", async () => {
  const form = isStandalone ? "executable" : "npm package";
  const commit = "(?:commit [\\da-f]{12}(?:, changed)?|built outside git)";
  const line = new RegExp(String.raw`^\d+\.\d+\.\d+\S* \(${form}, ${commit}\)\n$`);
  for (const args of [["--version"], ["-V"], ["check", "--version"]]) {
    expect(await sophia(args)).toMatchObject({ status: 0, stdout: expect.stringMatching(line) });
  }
});

describe("a mistake in a subcommand ends with 125 and a hint", () => {
  test.each([
    [["help", "chekc"], "unknown COMMAND chekc\n", "did you mean check? allowed: check, explain, get,"],
    [["help", "exec"], "unknown COMMAND exec\n", "sophia-run -- COMMAND starts a program; allowed: check,"],
    [["help", "hunter2"], "unknown COMMAND\n", "allowed: check, explain"],
    [["help", "check", "scan"], "help takes no more than COMMAND", "sophia-run help COMMAND"],
    [["--help=chekc"], "--help cannot be 'chekc'", "--help=all"],
    [["check", "--help=some"], "--help cannot be 'some'", "--help=all"],
    [
      ["rotate", "--fake", "A"],
      "option --fake is not for rotate",
      "it is for starting a program, check, explain, get and",
    ],
    [["check", "--mode", "exec"], "option --mode is not for check", "it is for starting a program\n"],
    [["-v", "docs"], "option -v is not for docs", "it is for starting a program, check"],
    [["check", "--staged"], "option --staged is not for check", "it is for scan\n"],
    [["--overwrite", "--", "true"], "option --overwrite is not for starting a program", "it is for set and import"],
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
    [["completion", "fihs"], "unknown SHELL fihs\n", "did you mean fish?"],
    [["completion", "powershell"], "unknown SHELL powershell\n", "allowed: bash, zsh, fish"],
    [["completion", "p=sentinel"], "unknown SHELL\n", "allowed: bash, zsh, fish"],
    [["set", "API_KEY", "sentinel"], "set takes no value", "sophia-run set API_KEY asks for it"],
    [["set", "API_KEY", "SENTINEL", "x"], "set takes no value", "sophia-run set API_KEY < FILE reads"],
    [["set", "sentinel", "API_KEY"], "set takes no value", "sophia-run set NAME asks for it"],
    [["set", "SENTINEL1", "API_KEY"], "set takes no value", "sophia-run set NAME asks for it"],
    [["set", "API_KEY", "yes"], "set takes no value", "sophia-run set API_KEY < FILE reads"],
    [["docs", "--onyl-declared"], "unknown option --onyl-declared of docs", "sophia-run docs --help"],
  ])("%j", async (args, message, hint) => {
    const result = await sophia(args, { cwd: folder() });
    expect(result).toMatchObject({ status: 125, stdout: "" });
    expect(result.stderr).toContain(message);
    expect(result.stderr).toContain(hint);
    expect(result.stderr).not.toMatch(/sentinel|hunter2/i);
  });
});

test("a word that is nearly help is an error that suggests help", async () => {
  const result = await sophia(["hepl"]);
  expect(result).toMatchObject({ status: 127, stdout: "" });
  expect(result.stderr).toContain("did you mean help?");
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
  for (const name of COMMAND_NAMES) {
    const text = (await helpOf(name, "--help")).replaceAll(/\s+/g, " ");
    for (const status of Object.keys(COMMANDS[name].statuses))
      expect(text).toMatch(new RegExp(`Exit status: .*\\b${status}: `));
  }
});
