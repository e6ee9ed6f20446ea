import * as fc from "fast-check";
import { expect, it } from "vitest";
import { writeIntegerPattern } from "../../../src/contract/esc-schema/integer-pattern.ts";

const bound = fc.option(fc.oneof(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -99_999, max: 99_999 })), {
  nil: undefined,
});

it("an integer pattern matches the integers of its range, with a sign and leading zeros, and no others", () => {
  fc.assert(
    fc.property(
      bound,
      bound,
      fc.array(fc.integer({ min: -120_000, max: 120_000 }), { minLength: 20 }),
      (least, most, numbers) => {
        const pattern = writeIntegerPattern(least, most);
        const around = [least, most].flatMap((limit) => (limit === undefined ? [] : [limit - 1, limit, limit + 1]));
        for (const number of [...numbers, ...around, 0]) {
          const digits = String(Math.abs(number));
          const signs = number === 0 ? ["", "+", "-"] : number < 0 ? ["-"] : ["", "+"];
          for (const text of signs.flatMap((sign) => [sign + digits, `${sign}00${digits}`])) {
            const isInRange = number >= (least ?? -Infinity) && number <= (most ?? Infinity);
            const isMatched = pattern !== undefined && new RegExp(`^(?:${pattern})$`).test(text);
            expect([least, most, text, isMatched]).toEqual([least, most, text, isInRange]);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

it("an integer pattern rounds fractional bounds inwards, and none is made for bounds that no number can hold", () => {
  const pattern = writeIntegerPattern(0.5, 2.5) ?? "";
  expect(["0", "1", "2", "3"].filter((text) => new RegExp(`^(?:${pattern})$`).test(text))).toEqual(["1", "2"]);
  expect(writeIntegerPattern(undefined, 2 ** 60)).toBeUndefined();
  expect(writeIntegerPattern(5, 3)).toBeUndefined();
});

it.each<[number | undefined, number | undefined, string]>([
  [5, 250, String.raw`\+?0*(?:[5-9]|[1-9][0-9]{1}|1[0-9]{2}|2[0-4][0-9]|250)`],
  [137, 484, String.raw`\+?0*(?:13[7-9]|1[4-9][0-9]|[2-3][0-9]{2}|4[0-7][0-9]|48[0-4])`],
  [
    5,
    12_345,
    String.raw`\+?0*(?:[5-9]|[1-9][0-9]{1}|[1-9][0-9]{2}|[1-9][0-9]{3}|1[0-1][0-9]{3}|12[0-2][0-9]{2}|123[0-3][0-9]|1234[0-5])`,
  ],
  [10, 99, String.raw`\+?0*(?:[1-9][0-9])`],
  [100, 999, String.raw`\+?0*(?:[1-9][0-9]{2})`],
  [99, 100, String.raw`\+?0*(?:99|100)`],
  [7, 7, String.raw`\+?0*(?:7)`],
  [0, 0, String.raw`\+?0*(?:0)|-0+`],
  [0, 9, String.raw`\+?0*(?:[0-9])|-0+`],
  [1, undefined, String.raw`\+?0*(?:[1-9]|[1-9][0-9]{1,})`],
  [18, undefined, String.raw`\+?0*(?:1[8-9]|[2-9][0-9]|[1-9][0-9]{2,})`],
  [-12, 7, String.raw`-0*(?:[1-9]|1[0-2])|\+?0*(?:[0-7])|-0+`],
  [-250, -5, "-0*(?:[5-9]|[1-9][0-9]{1}|1[0-9]{2}|2[0-4][0-9]|250)"],
  [undefined, -5, "-0*(?:[5-9]|[1-9][0-9]{1,})"],
  [undefined, 0, String.raw`-0*(?:[1-9]|[1-9][0-9]{1,})|\+?0*(?:0)|-0+`],
  [undefined, undefined, String.raw`-0*(?:[1-9]|[1-9][0-9]{1,})|\+?0*(?:[0-9]|[1-9][0-9]{1,})|-0+`],
])("the integers from %s to %s have the expression %s", (minimum, maximum, expression) => {
  expect(writeIntegerPattern(minimum, maximum)).toBe(expression);
});

it("an integer pattern is made for the largest bounds that are exact, and for none beyond", () => {
  const largest = Number.MAX_SAFE_INTEGER;
  expect(writeIntegerPattern(largest, largest)).toBe(String.raw`\+?0*(?:9007199254740991)`);
  expect(writeIntegerPattern(-largest, -largest)).toBe("-0*(?:9007199254740991)");
  expect([writeIntegerPattern(0, largest + 1), writeIntegerPattern(-largest - 1, 0)]).toEqual([undefined, undefined]);
  expect(writeIntegerPattern(-3, -5)).toBeUndefined();
});
