import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { COMMAND_NAMES } from "../../../src/command-line/command-line.ts";
import { OTHER_TOOL_OPTIONS, OTHER_TOOL_COMMANDS } from "../../../src/commands/parts/other-tools.ts";
import { COMMANDS } from "../../../src/commands/registry.ts";
import { notInstalled } from "../../helpers/skip.ts";
import { CONTRACT_VALUES, folder, sophia } from "../../helpers/sophia.ts";
import { atTerminal } from "../../helpers/terminal.ts";

const WORDS = Array.from(OTHER_TOOL_COMMANDS);
const OPTIONS = Array.from(OTHER_TOOL_OPTIONS);
const env = { ...CONTRACT_VALUES, PATH: "/nowhere" };

/** A folder with a program of the name in it, and a search path that has it. */
function withProgram(word: string) {
  const bin = folder();
  const file = join(bin, word);
  writeFileSync(file, '#!/bin/sh\necho "ran $*"\n');
  chmodSync(file, 0o755);
  return { cwd: bin, env: { ...CONTRACT_VALUES, PATH: `${bin}:${process.env["PATH"] ?? ""}` } };
}

test("the tables of other tools have the verbs and options of the tools that users come from", () => {
  const verbs =
    "run exec get ls list env open read print printenv inject secrets setup login logout pull push diff edit encrypt load upload validate";
  const isCommand = (word: string): boolean => COMMAND_NAMES.some((name) => name === word);
  expect(verbs.split(" ").filter((word) => !OTHER_TOOL_COMMANDS.has(word) && !isCommand(word))).toEqual([]);
  const options =
    "-e --env --environment -f --config --command --plain --overload --path -c --no-masking --preserve-env";
  expect(options.split(" ").filter((option) => !OTHER_TOOL_OPTIONS.has(option))).toEqual([]);
  // A row that is hidden by a command would never be printed.
  expect([...OTHER_TOOL_COMMANDS.keys()].filter(isCommand)).toEqual([]);
});

test.each([...WORDS, ...OPTIONS])("the hint for %s fits into its line, and what it names exists", (_, meant) => {
  expect(meant.length).toBeLessThanOrEqual(78);
  expect(meant).not.toContain("did you mean");
  for (const [, word] of meant.matchAll(/sophia-run (\S+)/g)) {
    expect(["--", "--version", ...COMMAND_NAMES]).toContain(word);
  }
  for (const [, name = "", option = ""] of meant.matchAll(/sophia-run ([a-z]+) (?:\S+ )?--([a-z]+)/g)) {
    const command = COMMAND_NAMES.find((one) => one === name);
    expect(Object.keys((command && COMMANDS[command].options) ?? {})).toContain(option);
  }
});

describe.each(WORDS)("a verb of another tool, %s,", (word, meant) => {
  test("gets a hint at the command of sophia-run if there is no program of that name", async () => {
    const result = await sophia([word, "--", "sentinel"], { env });
    expect(result).toEqual({
      status: 127,
      signal: null,
      stdout: "",
      stderr: `sophia-run: ${word}: command not found\n  ${meant}\n`,
    });
    // Behind -- it is a command like any other.
    expect((await sophia(["--", word], { env })).stderr).toBe(`sophia-run: ${word}: command not found\n`);
  });

  test("starts the program of that name, with and without --", async () => {
    const pathWithProgram = withProgram(word);
    for (const dashes of [[], ["--"]]) {
      const result = await sophia([...dashes, word, "1"], pathWithProgram);
      expect(result).toEqual({ status: 0, signal: null, stdout: "ran 1\n", stderr: "" });
    }
  });
});

describe("a verb of another tool, at a terminal,", () => {
  test.for(["ls", "env", "printenv", "test"])("prints one line about what else %s may mean", async (word, { skip }) => {
    const reason = notInstalled("python3", "--version");
    skip(reason !== undefined, reason);
    const pathWithProgram = withProgram(word);
    const notice = `sophia-run: ${word} starts as a program; ${OTHER_TOOL_COMMANDS.get(word) ?? ""}\r\n`;
    expect(notice.length).toBeLessThanOrEqual(82);
    expect((await atTerminal([word], pathWithProgram, [])).stdout).toBe(`${notice}ran \r\n`);
    expect((await atTerminal(["--", word], pathWithProgram, [])).stdout).toBe("ran \r\n");
    expect((await atTerminal(["--quiet", word], pathWithProgram, [])).stdout).toBe("ran \r\n");
    expect((await atTerminal([`./${word}`], pathWithProgram, [])).stdout).toBe("ran \r\n");
  });
});

describe("login", () => {
  test("is a command, and starts as a program behind --, and by its path", async () => {
    const pathWithProgram = withProgram("login");
    expect((await sophia(["login", "--status"], pathWithProgram)).stdout).toContain("no login is used");
    expect((await sophia(["--", "login"], pathWithProgram)).stdout).toBe("ran \n");
    expect((await sophia(["./login"], pathWithProgram)).stdout).toBe("ran \n");
  });
});

describe.each(OPTIONS)("an option of another tool, %s,", (option, meant) => {
  const value = option.startsWith("--") ? `${option}=sentinel` : `${option}sentinel`;

  test.each([
    ["a start", "", ["--", "true"]],
    ["get", " of get", ["get", "KEY"]],
  ])("gets a hint after %s", async (_, of, words) => {
    const refused = {
      status: 125,
      signal: null,
      stdout: "",
      stderr: `sophia-run: unknown option ${option}${of}\n  ${meant}\n`,
    };
    expect(await sophia([option, ...words], { env })).toEqual(refused);
    expect(await sophia([value, ...words], { env })).toEqual(refused);
  });

  test("reaches the started program if it stands behind the program's name", async () => {
    expect((await sophia(["printf", "%s", option], { env: CONTRACT_VALUES })).stdout).toBe(option);
  });
});
