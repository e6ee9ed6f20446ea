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
