import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { fits, isSmall, measure, softLimit, tooLarge, totalLimit } from "../../../src/launch/proc/limits.ts";
import { becomesProgram, folder, sophia } from "../../helpers/sophia.ts";

const kibibyte = 1024;

test("strings count in bytes, with their NUL and a pointer each", () => {
  const sizes = measure(
    "/bin/é",
    ["é", "ab"],
    new Map([
      ["A", "1"],
      ["LONG", "ééé"],
    ]),
  );
  expect(sizes).toEqual({
    total: "/bin/é".length + 1 + 1 + (2 + 1 + 8) + (2 + 1 + 8) + (3 + 1 + 8) + (11 + 1 + 8),
    largestArgument: { index: 0, bytes: 2 },
    largestVariable: 11,
    variables: [
      { name: "LONG", bytes: 11 },
      { name: "A", bytes: 3 },
    ],
  });
});

test.each([
  ["8388608", 2048 * kibibyte],
  ["unlimited", 6144 * kibibyte],
  ["1073741824", 6144 * kibibyte],
  ["65536", 128 * kibibyte],
  ["", 128 * kibibyte],
])("a stack of %j allows %i bytes in all", (stack, bytes) => {
  expect(totalLimit(stack)).toBe(bytes);
});

test("this process's limits are those that its shell tells", () => {
  const { stdout } = spawnSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" });
  expect(softLimit("self", "Max open files")).toBe(stdout.trim());
});

test("what the kernel takes, and what it does not, is foreseen", () => {
  const outcome = (bytes: number): readonly [boolean, boolean] => {
    const value = "x".repeat(bytes - "LARGE=".length);
    const { error } = spawnSync("/bin/true", [], { env: { LARGE: value } });
    return [fits(measure("/bin/true", ["/bin/true"], new Map([["LARGE", value]]))), error === undefined];
  };
  expect(outcome(131_071)).toEqual([true, true]);
  expect(outcome(131_072)).toEqual([false, false]);
});

test("what is called small is certain to fit, whatever its characters", () => {
  for (const character of ["x", "é", "€", "😀"]) {
    for (let length = 1; length < 150_000; length = Math.ceil(length * 1.3)) {
      const environment = new Map([["NAME", character.repeat(length)]]);
      const argv = ["tool", character.repeat(length)];
      for (const [of, within] of [[["tool"], environment] as const, [argv, new Map<string, string>()] as const]) {
        if (isSmall("/bin/tool", of, within)) expect(fits(measure("/bin/tool", of, within))).toBe(true);
      }
    }
  }
  expect(isSmall("/bin/tool", ["tool"], new Map([["PATH", "/usr/bin"]]))).toBe(true);
  const many = new Map(Array.from({ length: 8000 }, (_, index) => [String(index), ""]));
  expect(isSmall("/bin/tool", ["tool"], many)).toBe(false);
});

test("the message names the largest variables and no value", () => {
  const value = "secret".repeat(60_000);
  const environment = new Map([
    ["HUGE", value],
    ["SMALL", "secret"],
    ["OTHER", "y".repeat(131_072)],
  ]);
  const error = tooLarge("tool", measure("/bin/tool", ["tool"], environment));
  expect(error.status).toBe(126);
  expect(error.message).toBe(
    "tool: the environment variables HUGE (360,005 bytes) and OTHER (131,078 bytes) are too large: the system's limit for one is 131,071 bytes, name included",
  );
});

test("an argument that is too large is named by its place", () => {
  const error = tooLarge("tool", measure("/bin/tool", ["tool", "x", "y".repeat(131_072)], new Map()));
  expect(error.message).toBe(
    "tool: argument 2 is too large (131,072 bytes): the system's limit for one is 131,071 bytes",
  );
});

test.each(["spawn", "exec", "auto"] as const)(
  "an environment over the limit in mode %s: 126, one line, no value",
  async (mode) => {
    // Each fits by itself, together they do not. From a file: no process could have been started with them.
    const lines = Array.from({ length: 20 }, (_, index) => `LARGE_${index}=${"sentinel".repeat(16_000)}`);
    const cwd = folder({ ".env": lines.join("\n") });
    const result = await sophia(["--no-contract", "--mode", mode, "--", "true"], { cwd });
    if (mode === "exec" && !becomesProgram) return expect(result.status).toBe(125);
    expect(result).toMatchObject({ status: 126, signal: null, stdout: "" });
    expect(result.stderr).toMatch(
      /^sophia-run: true: arguments and environment are too large: together [\d,]+ bytes, the system's limit is [\d,]+; largest of \d+ variables: LARGE_1\d \(128,009 bytes\), .*\n$/,
    );
    expect(result.stderr).not.toContain("sentinel");
  },
);

test.each(["spawn", "exec", "auto"] as const)(
  "a variable over the limit in mode %s: 126, one line, no value",
  async (mode) => {
    const cwd = folder({ ".env": `LARGE=${"sentinel".repeat(17_000)}` });
    const result = await sophia(["--no-contract", "--mode", mode, "--", "true"], { cwd });
    if (mode === "exec" && !becomesProgram) return expect(result.status).toBe(125);
    expect(result).toEqual({
      status: 126,
      signal: null,
      stdout: "",
      stderr:
        "sophia-run: true: the environment variable LARGE (136,006 bytes) is too large: the system's limit for one is 131,071 bytes, name included\n",
    });
  },
);
