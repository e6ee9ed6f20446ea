import { assert, json as jsonTexts, property, stringMatching } from "fast-check";
import { expect, test } from "vitest";
import { extractNumbers, writesIntegersPlainly } from "../../src/esc/numbers.ts";

/** What the numbers of a text are when their sources are put back. */
function restored(json: string): unknown {
  const { json: indexed, texts } = extractNumbers(json);
  return JSON.parse(indexed, (_, value: unknown) => (typeof value === "number" ? { number: texts[value] } : value));
}

test.each<[string, unknown]>([
  ["1.0", { number: "1.0" }],
  ["-0", { number: "-0" }],
  [
    "[1,-2.50,3e5,4E-7,123456789012345678901]",
    ["1", "-2.50", "3e5", "4E-7", "123456789012345678901"].map((number) => ({ number })),
  ],
  ['{"1": 2, "a\\"3": "4", "b\\\\": 5}', { "1": { number: "2" }, 'a"3': "4", "b\\": { number: "5" } }],
  ['"7"', "7"],
  ['["\\\\\\"1",2]', ['\\"1', { number: "2" }]],
  ["{}", {}],
  ["[true,false,null]", [true, false, null]],
])("numbers of %s", (json, expected) => {
  expect(restored(json)).toEqual(expected);
});

test("any JSON comes back with each number's text", () => {
  assert(
    property(jsonTexts(), (json) => {
      const expected = JSON.parse(json, (_, value: unknown) => (typeof value === "number" ? "number" : value));
      const { json: indexed, texts } = extractNumbers(json);
      let seen = 0;
      const actual = JSON.parse(indexed, (_, value: unknown) => {
        if (typeof value !== "number") return value;
        seen += 1;
        return Number.isNaN(Number(texts[value])) ? "broken" : "number";
      });
      expect(actual).toEqual(expected);
      expect(seen).toBe(texts.length);
    }),
  );
});

test.each([
  ["1.0", false],
  ["1.00", false],
  ["10.5e1", false],
  ["1e3", false],
  ["1E+3", false],
  ["-2e0", false],
  // Strings that look so cost time, no more.
  ['"v1.0"', false],
  ["123", true],
  ["[-7,0]", true],
  ["1.5", true],
  ['"e1 .0 e"', true],
])("integers in %s are plain: %s", (json, expected) => {
  expect(writesIntegersPlainly(json)).toBe(expected);
});

test("where integers are plain, JavaScript's own text of an integer is that of the source", () => {
  const digits = stringMatching(/^-?(?:0|[1-9]\d{0,5})(?:\.\d{1,3})?(?:[eE][-+]?\d{1,2})?$/);
  assert(
    property(digits, (text) => {
      const number: unknown = JSON.parse(text);
      if (!Number.isSafeInteger(number) || Object.is(number, -0) || !writesIntegersPlainly(text)) return;
      expect(String(number)).toBe(text);
    }),
    { numRuns: 1000 },
  );
});
