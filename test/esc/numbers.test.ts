import * as fc from "fast-check";
import { expect, test } from "vitest";
import { extractNumbers } from "../../src/esc/numbers.ts";

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
  fc.assert(
    fc.property(fc.json(), (json) => {
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
