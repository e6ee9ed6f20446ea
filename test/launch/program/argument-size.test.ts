import { expect, test } from "vitest";
import {
  fits,
  measureSizes,
  reasonTooLarge,
  reasonTooLargeAlone,
  totalLimit,
} from "../../../src/launch/program/argument-size.ts";
import type { Program } from "../../../src/launch/types.ts";
import { notLinux } from "../../helpers/skip.ts";

/** Measures a program with these arguments after its name, and variables of these sizes with their names. */
function sizesOf(args: readonly string[], variables: Readonly<Record<string, number>> = {}) {
  const argv: Program["argv"] = ["tool", ...args];
  const environment = new Map(
    Object.entries(variables).map(([name, bytes]) => [name, "x".repeat(bytes - name.length - 1)]),
  );
  return measureSizes({ file: "/bin/tool", argv, environment });
}

/** The bytes of `/bin/tool`, its one argument `tool` and one variable, without the bytes of the variable itself. */
const OVERHEAD_BYTES = 10 + (4 + 1 + 8) + (1 + 8);

test("the index of the largest argument is its position, and arguments and variables are measured separately", () => {
  expect(sizesOf(["longest", "long"], { A: 100, B: 200, C: 150 })).toEqual({
    total: 10 + (4 + 9) + (7 + 9) + (4 + 9) + (100 + 9) + (200 + 9) + (150 + 9),
    largestArgument: { index: 1, bytes: 7 },
    variables: [
      { name: "B", bytes: 200 },
      { name: "C", bytes: 150 },
      { name: "A", bytes: 100 },
    ],
  });
});

test.for([
  [131_071, undefined],
  [131_072, "131,071 bytes"],
] as const)("on Linux a variable of %i bytes with its name exceeds this limit: %j", ([bytes, limit], { skip }) => {
  skip(notLinux !== undefined, notLinux);
  expect(reasonTooLargeAlone({ name: "Ä", value: "x".repeat(bytes - 3) })).toBe(limit);
});

test.each([
  ["linux", { A: 131_071 }, true],
  ["linux", { A: 131_072 }, false],
  ["darwin", { A: 131_072 }, true],
  ["darwin", { A: 1_048_576 - OVERHEAD_BYTES }, true],
  ["darwin", { A: 1_048_577 - OVERHEAD_BYTES }, false],
  ["freebsd", { A: 131_072 - OVERHEAD_BYTES }, true],
  ["freebsd", { A: 131_073 - OVERHEAD_BYTES }, false],
] as const)(
  "on %s an environment with a variable of this size is certain to be accepted: %j %j",
  (platform, variables, expected) => {
    expect(fits(sizesOf([], variables), platform)).toBe(expected);
  },
);

test("on Linux an argument that is too large is certain to be refused, also without a variable", () => {
  expect(fits(sizesOf(["x".repeat(131_071)]), "linux")).toBe(true);
  expect(fits(sizesOf(["x".repeat(131_072)]), "linux")).toBe(false);
});

test.each([
  ["524288", 131_072],
  ["524292", 131_073],
  ["524295", 131_073],
  ["25165823", 6_291_455],
  ["25165824", 6_291_456],
  ["25165828", 6_291_456],
  ["no number", 131_072],
])("a stack of %s bytes allows %i bytes for arguments and environment", (stack, bytes) => {
  expect(totalLimit(stack)).toBe(bytes);
});

test.each([
  [
    [],
    { A: 131_072 },
    "linux",
    "the environment variable A (131,072 bytes) is too large (the system's limit for one is 131,071 bytes, name included)",
  ],
  [
    [],
    { A: 200_000, SMALL: 100, B: 131_072, C: 300_000, D: 131_073 },
    "linux",
    "the environment variables C (300,000 bytes), A (200,000 bytes) and D (131,073 bytes) are too large (the system's limit for one is 131,071 bytes, name included)",
  ],
  [
    ["x".repeat(131_072)],
    { A: 131_071 },
    "linux",
    "argument 1 is too large (131,072 bytes; the system's limit for one is 131,071)",
  ],
  [
    ["x".repeat(131_072)],
    { A: 100, B: 200 },
    "freebsd",
    "arguments and environment are too large (together 131,422 bytes); the largest of 2 variables: B (200 bytes) and A (100 bytes)",
  ],
  [
    [],
    { A: 2_000_000 },
    "darwin",
    `arguments and environment are too large (together ${(2_000_000 + OVERHEAD_BYTES).toLocaleString("en-US")} bytes, the system's limit is 1,048,576); the largest of 1 variable: A (2,000,000 bytes)`,
  ],
] as const)(
  "the reason for a refusal names what is too large, and how large: %#",
  (args, variables, platform, reason) => {
    expect(reasonTooLarge(sizesOf(args, variables), platform)).toBe(reason);
  },
);
