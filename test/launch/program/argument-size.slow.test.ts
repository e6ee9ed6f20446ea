import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { fits, measureSizes, reasonTooLarge, totalLimit } from "../../../src/launch/program/argument-size.ts";
import { executionError } from "../../../src/launch/program/start-error.ts";
import type { Program } from "../../../src/launch/types.ts";
import { supportsExecMode, folder, sophia } from "../../helpers/sophia.ts";
import { expectWording } from "../../helpers/wording.ts";

const KIBIBYTE = 1024;

function toolProgram(argv: Program["argv"], environment: ReadonlyMap<string, string> = new Map()): Program {
  return { file: "/bin/tool", argv, environment };
}

test("the size of arguments and environment includes the bytes, the NUL and the pointer of each string", () => {
  const environment = new Map([
    ["A", "1"],
    ["LONG", "ééé"],
  ]);
  expect(measureSizes({ file: "/bin/é", argv: ["é", "ab"], environment })).toEqual({
    total: "/bin/é".length + 1 + 1 + (2 + 1 + 8) + (2 + 1 + 8) + (3 + 1 + 8) + (11 + 1 + 8),
    largestArgument: { index: 0, bytes: 2 },
    variables: [
      { name: "LONG", bytes: 11 },
      { name: "A", bytes: 3 },
    ],
  });
});

test.each([
  ["8388608", 2048 * KIBIBYTE],
  ["unlimited", 6144 * KIBIBYTE],
  ["1073741824", 6144 * KIBIBYTE],
  ["65536", 128 * KIBIBYTE],
  ["", 128 * KIBIBYTE],
])("a stack of %j allows %i bytes in all", (stack, bytes) => {
  expect(totalLimit(stack)).toBe(bytes);
});

test("sophia-run predicts which sizes the kernel accepts", () => {
  const predictAndStart = (bytes: number): readonly [boolean, boolean] => {
    const value = "x".repeat(bytes - "LARGE=".length);
    const { error } = spawnSync("/bin/true", [], { env: { LARGE: value } });
    return [fits(measureSizes(toolProgram(["tool"], new Map([["LARGE", value]])))), error === undefined];
  };
  expect(predictAndStart(131_071)).toEqual([true, true]);
  expect(predictAndStart(131_072)).toEqual([false, false]);
});

test("the message about an environment that is too large names the largest variables, and contains no value", () => {
  const value = "secret".repeat(60_000);
  const environment = new Map([
    ["HUGE", value],
    ["SMALL", "secret"],
    ["OTHER", "y".repeat(131_072)],
  ]);
  const error = executionError("tool", toolProgram(["tool"], environment), "E2BIG");
  expect(error.status).toBe(126);
  expect(error.message).not.toContain("secret");
  expectWording(error.message);
});

test("the message about an argument that is too large names its position", () => {
  const error = executionError("tool", toolProgram(["tool", "x", "y".repeat(131_072)]), "E2BIG");
  expectWording(error.message);
});

test.each(["spawn", "exec", "auto"] as const)(
  "an environment over the limit ends a start in mode %s with status 126, and the message is one line without a value",
  async (mode) => {
    // Each variable is below the limit, and all together are above it. They are in a file, because no process can start with them.
    const lines = Array.from({ length: 20 }, (_, index) => `LARGE_${index}=${"sentinel".repeat(16_000)}`);
    const cwd = folder({ ".env": lines.join("\n") });
    const result = await sophia(["--no-contract", "--mode", mode, "--", "true"], { cwd });
    if (mode === "exec" && !supportsExecMode) return expect(result.status).toBe(125);
    expect(result).toMatchObject({ status: 126, signal: null, stdout: "" });
    expect(result.stderr).toMatch(/^sophia-run: true: .*\bLARGE_1\d \(128,009 bytes\).*\n$/);
    expect(result.stderr).not.toContain("sentinel");
  },
);

test.each(["spawn", "exec", "auto"] as const)(
  "a variable over the limit ends a start in mode %s with status 126, and the message is one line without a value",
  async (mode) => {
    const cwd = folder({ ".env": `LARGE=${"sentinel".repeat(17_000)}` });
    const result = await sophia(["--no-contract", "--mode", mode, "--", "true"], { cwd });
    if (mode === "exec" && !supportsExecMode) return expect(result.status).toBe(125);
    expect(result).toMatchObject({ status: 126, signal: null, stdout: "" });
    expect(result.stderr).toMatch(/^sophia-run: true: .*\bLARGE \(136,006 bytes\).*\n$/);
    expect(result.stderr).not.toContain("sentinel");
  },
);

test("the limit for the total is known on macOS, and unknown on other systems", () => {
  const sizes = measureSizes(toolProgram(["tool"], new Map([["BIG", "x".repeat(1024 * KIBIBYTE)]])));
  const half = measureSizes(toolProgram(["tool"], new Map([["BIG", "x".repeat(512 * KIBIBYTE)]])));
  expect([fits(half, "darwin"), fits(sizes, "darwin"), fits(half, "freebsd")]).toEqual([true, false, false]);
  expectWording(reasonTooLarge(sizes, "darwin"));
  expectWording(reasonTooLarge(sizes, "freebsd"));
});
