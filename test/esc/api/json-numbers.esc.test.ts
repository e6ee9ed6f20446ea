import { assert, json as jsonTexts, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { withNumbersAsStrings } from "../../../src/esc/api/opened-values.ts";

/** The value with numbers as strings. */
function asStrings(value: unknown): unknown {
  if (typeof value === "number") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(asStrings);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, asStrings(one)]));
}

describe("numbers of JSON become strings with the characters of the source", () => {
  test.each([
    ["{}", "{}"],
    [" { } ", " { } "],
    ['{"a":1.0}', '{"a":"1.0"}'],
    ['\n{ "a" : -1.50E+3 , "b":"x" }\t', '\n{ "a" : "-1.50E+3" , "b":"x" }\t'],
    ['{"a":123456789012345678901234567890}', '{"a":"123456789012345678901234567890"}'],
    ['{"a":{"b":[1,{"c":"}2"}]},"d":[]}', '{"a":{"b":["1",{"c":"}2"}]},"d":[]}'],
    ['{"a":"\\"1","b\\\\":"\\\\","c":true,"d":2}', '{"a":"\\"1","b\\\\":"\\\\","c":true,"d":"2"}'],
    ['{"\\u0061":null,"b":false}', '{"\\u0061":null,"b":false}'],
    ['{"a":1,"a":2}', '{"a":"1","a":"2"}'],
    ['{"__proto__":1,"":2}', '{"__proto__":"1","":"2"}'],
    ["[1]", '["1"]'],
    ['"1"', '"1"'],
    ["7", '"7"'],
  ])("of %s", (json, expected) => {
    expect(withNumbersAsStrings(json)).toBe(expected);
  });

  test("and JSON.parse reads all other values as before, in any text", () => {
    assert(
      property(jsonTexts(), (json) => {
        expect(JSON.parse(withNumbersAsStrings(json))).toEqual(asStrings(JSON.parse(json)));
      }),
      { numRuns: 1000 },
    );
  });

  test("also in deep nesting", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    expect(withNumbersAsStrings(`{"a":${deep},"b":1.0}`)).toBe(`{"a":${deep},"b":"1.0"}`);
  });

  test("also in a text with many escapes, and for a long number", () => {
    const [escapes, digits] = [String.raw`\n`.repeat(1_000_000), "1".repeat(1_000_000)];
    expect(withNumbersAsStrings(`{"a":"${escapes}","b":${digits}}`)).toBe(`{"a":"${escapes}","b":"${digits}"}`);
  });
});
