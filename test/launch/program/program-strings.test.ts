import { describe, expect, test } from "vitest";
import { bytesOf, validateStrings } from "../../../src/launch/program/program-strings.ts";

/** Validates the strings of a request with these parts. */
function validate({
  command = ["tool"],
  environment = {},
  files = [],
}: {
  readonly command?: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
}): void {
  validateStrings({
    command,
    environment: new Map(Object.entries(environment)),
    files: files.map((name) => ({ name, content: "a\0b" })),
  });
}

test("a program may get any string without a NUL", () => {
  expect(() =>
    validate({
      command: ["", "a=b", "\n"],
      environment: { "foo-bar": "", "BASH_FUNC_x%%": "() { :; }", é: "\uFFFD" },
      files: ["A b"],
    }),
  ).not.toThrow();
});

describe("a string that no program can get is refused, and the message has no value:", () => {
  const renameHint = "rename it in its source: a name has at least one character, no = and no NUL";

  test.each([
    [
      "the value of a variable",
      { environment: { GOOD: "1", KEY: "made-up-\0-secret" } },
      "the value of KEY contains a NUL character",
      "change the value in its source",
    ],
    ["the empty name of a variable", { environment: { "": "1" } }, "an environment variable has no name", renameHint],
    ["the name of a variable with =", { environment: { "A=B": "1" } }, "A=B is not a valid variable name", renameHint],
    [
      "the name of a variable with a NUL",
      { environment: { "A\0B": "1" } },
      "A\\u0000B is not a valid variable name",
      renameHint,
    ],
    [
      "the name of a secret file's variable",
      { files: ["GOOD", "A=B"] },
      "A=B is not a valid variable name",
      renameHint,
    ],
    ["the command", { command: ["\0"] as const }, "argument 0 contains a NUL character", "change the argument"],
    [
      "an argument",
      { command: ["tool", "good", "made-up-\0-secret", "\0"] as const },
      "argument 2 contains a NUL character",
      "change the argument",
    ],
  ])("%s", (_, request, message, hint) => {
    expect(() => validate(request)).toThrow(
      expect.objectContaining({ code: "unusable-value", status: 125, message, hint }),
    );
  });
});

test.each([
  ["é", "/bin/é\0tool\0\0A=é\0B=\0"],
  // Such a string was not decoded from bytes that this process has got.
  ["\uFFFD", "/bin/\uFFFD\0tool\0\0A=\uFFFD\0B=\0"],
])(
  "execve(2) gets the file, the arguments and the variables, each ended by a NUL, with the character %j",
  (character, bytes) => {
    const environment = new Map([
      ["A", character],
      ["B", ""],
    ]);
    const program = { file: `/bin/${character}`, argv: ["tool", ""] as const, environment };
    expect(Buffer.from(bytesOf(program)).toString()).toBe(bytes);
  },
);
