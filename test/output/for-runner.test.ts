import { expect, test } from "vitest";
import * as fc from "fast-check";
import { formatJsonLine, formatJson } from "../../src/core/json-text.ts";
import { disarmCommands } from "../../src/output/surroundings.ts";
import { Commands, linesOf } from "../helpers/actions/command.ts";

/** All characters that .NET trims from the beginning of a line, and all characters that end a line. */
const SPACES = [
  ["", " ", "  ", "\t", "\v", "\f", "\n", "\r", "\r\n", "\u0085", "\u00A0", "\u1680", "\u2000", "\u200A"],
  ["\u2028", "\u2029", "\u202F", "\u205F", "\u3000", "\uFEFF"],
].flat();
const COMMAND_PARTS = [
  [
    "::stop-commands::x",
    "##[stop-commands]x",
    "::",
    ":",
    "##[",
    "#",
    "[",
    "]",
    "x",
    "::add-mask::",
    "✅ ",
    "\u001B[31m",
  ],
  ["::error file=a,line=1::", "##[error file=a;line=1]", "stop-commands", "STOP-COMMANDS::", "##", "set-env name=A"],
].flat();

const isCommand = (text: string): boolean => linesOf(text).some((line) => new Commands().read(line) !== undefined);

test.each(SPACES)("disarmCommands breaks a command of the runner that follows %j", (space) => {
  const text = `${space}::stop-commands::x\n`;
  expect(isCommand(text)).toBe(true);
  expect(isCommand(disarmCommands(text))).toBe(false);
  expect(disarmCommands(text)).toBe(`${space}: :stop-commands::x\n`);
});

test("disarmCommands breaks all commands in any text, and changes only white space", () => {
  const parts = fc.array(fc.constantFrom(...SPACES, ...COMMAND_PARTS), { maxLength: 12 });
  let commands = 0;
  fc.assert(
    fc.property(parts, (all) => {
      const text = all.join("");
      if (isCommand(text)) commands += 1;
      const broken = disarmCommands(text);
      expect(isCommand(broken)).toBe(false);
      expect(disarmCommands(broken)).toBe(broken);
      expect(broken.replaceAll(/\s/g, "")).toBe(text.replaceAll(/\s/g, ""));
    }),
    { numRuns: 20_000 },
  );
  expect(commands).toBeGreaterThan(1000);
});

test("disarmCommands does not change text without a command", () => {
  for (const text of ["a::b\n", "std::vector\n", "# [x]\n", "#[derive]\n", "a: :b\n", ":x\n", "`## heading`\n"]) {
    expect(disarmCommands(text)).toBe(text);
  }
});

test("JSON has the same value for programs, and contains no command for the runner", () => {
  const value = {
    "##[stop-commands]x": ["::stop-commands::x", String.raw`\##[error]`, "###[add-mask]x", "\n::debug::"],
  };
  for (const text of [formatJson(value), formatJsonLine(value)]) {
    expect(JSON.parse(text)).toEqual(value);
    expect(isCommand(text)).toBe(false);
    expect(disarmCommands(text)).toBe(text);
  }
});
