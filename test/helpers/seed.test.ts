import * as fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";

import { repetitionCommand, SEED, seedFrom } from "./seed.ts";

afterEach(() => vi.unstubAllEnvs());

test("every property test uses the seed of the run", () => {
  expect(fc.readConfigureGlobal()).toMatchObject({ seed: SEED });
  const { failed, seed } = fc.check(fc.property(fc.integer(), () => false));
  expect({ failed, seed }).toEqual({ failed: true, seed: SEED });
});

test("seedFrom parses a whole number, and returns a fixed seed if PROPERTY_SEED is not set", () => {
  expect(seedFrom("42")).toBe(42);
  expect(seedFrom(undefined)).toBe(seedFrom(""));
  for (const text of ["-1", "1.5", "x", "2147483648"]) expect(() => seedFrom(text)).toThrow("PROPERTY_SEED");
});

test("a property test tries more cases in a nightly run, which sets PROPERTY_SEED", async () => {
  const triesWith = async (seed: string): Promise<number> => {
    vi.stubEnv("PROPERTY_SEED", seed);
    vi.resetModules();
    const { caseCount } = await import("./seed.ts");
    return caseCount(10, 500);
  };
  expect([await triesWith(""), await triesWith("42")]).toEqual([10, 500]);
});

test("a failed run with PROPERTY_SEED names the command that repeats it", () => {
  const files = ["test/a.test.ts", "test/b.slow.test.ts", "test/a.test.ts"];
  expect(repetitionCommand(files, { PROPERTY_SEED: "42" })).toBe(
    "PROPERTY_SEED=42 npx vitest run test/a.test.ts test/b.slow.test.ts",
  );
  expect(repetitionCommand(["test/a.test.ts"], { PROPERTY_SEED: "42", SOPHIA_RUN_UNDER_TEST: "./program" })).toBe(
    "PROPERTY_SEED=42 SOPHIA_RUN_UNDER_TEST=./program npx vitest run test/a.test.ts",
  );
  expect(repetitionCommand(files, { PROPERTY_SEED: "" })).toBeUndefined();
  expect(repetitionCommand([], { PROPERTY_SEED: "42" })).toBeUndefined();
});
