import { assert, json as jsonTexts, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { membersAt, sourceAt, valueStart } from "../../../src/esc/api/json-source.ts";

/** The members of a text's value with their sources. */
function sources(json: string): [string, string][] {
  return [...membersAt(json, valueStart(json))].map(([name, at]) => [name, sourceAt(json, at)]);
}

describe("the sources of members", () => {
  test.each<[string, readonly (readonly [string, string])[]]>([
    ["{}", []],
    [" { } ", []],
    ['{"a":1.0}', [["a", "1.0"]]],
    [
      '\n{ "a" : -1.50E+3 , "b":"x" }\t',
      [
        ["a", "-1.50E+3"],
        ["b", '"x"'],
      ],
    ],
    ['{"a":123456789012345678901234567890}', [["a", "123456789012345678901234567890"]]],
    [
      '{"a":{"b":[1,{"c":"}"}]},"d":[]}',
      [
        ["a", '{"b":[1,{"c":"}"}]}'],
        ["d", "[]"],
      ],
    ],
    [
      '{"a":"\\"","b\\\\":"\\\\","c":true}',
      [
        ["a", '"\\""'],
        ["b\\", '"\\\\"'],
        ["c", "true"],
      ],
    ],
    [
      '{"\\u0061":null,"b":false}',
      [
        ["a", "null"],
        ["b", "false"],
      ],
    ],
    // The last one counts, as for JSON.parse.
    ['{"a":1,"a":2}', [["a", "2"]]],
    [
      '{"__proto__":1,"":2}',
      [
        ["__proto__", "1"],
        ["", "2"],
      ],
    ],
    ["[1]", []],
    ['"{}"', []],
    ["7", []],
  ])("of %s", (json, expected) => {
    expect(sources(json)).toEqual(expected);
  });

  test("are what JSON.parse makes the members of, whatever the text", () => {
    assert(
      property(jsonTexts(), (json) => {
        const value: unknown = JSON.parse(json);
        const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
        const parsed = sources(json).map(([name, source]): [string, unknown] => [name, JSON.parse(source)]);
        expect(Object.fromEntries(parsed)).toEqual(isObject ? value : {});
      }),
      { numRuns: 1000 },
    );
  });

  test("are found in deep nesting", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    expect(sources(`{"a":${deep},"b":1.0}`)).toEqual([
      ["a", deep],
      ["b", "1.0"],
    ]);
  });

  test("are none where nothing is", () => {
    expect([...membersAt("{}", undefined)]).toEqual([]);
  });
});
