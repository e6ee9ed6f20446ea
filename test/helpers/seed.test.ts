import * as fc from "fast-check";
import { expect, test } from "vitest";
import { SEED, seedFrom } from "./seed.ts";

test("every property has the seed of the run", () => {
  expect(fc.readConfigureGlobal()).toMatchObject({ seed: SEED });
  const { failed, seed } = fc.check(fc.property(fc.integer(), () => false));
  expect({ failed, seed }).toEqual({ failed: true, seed: SEED });
});

test("the seed is a whole number, and a fixed one where none is set", () => {
  expect(seedFrom("42")).toBe(42);
  expect(seedFrom(undefined)).toBe(seedFrom(""));
  for (const text of ["-1", "1.5", "x", "2147483648"]) expect(() => seedFrom(text)).toThrow("PROPERTY_SEED");
});
