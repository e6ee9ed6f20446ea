import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  JsonSyntaxError,
  lineAndColumn,
  parseWithPositions,
  type JsonNode,
} from "../../../src/contract/file/positions.ts";

/** The value as JSON.parse would give it; of two equal keys the last counts. */
function valueOf(node: JsonNode): unknown {
  switch (node.kind) {
    case "null":
      return null;
    case "array":
      return node.items.map(valueOf);
    case "object": {
      const object = {};
      for (const { key, value } of node.members) {
        Object.defineProperty(object, key, {
          value: valueOf(value),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return object;
    }
    case "string":
    case "number":
    case "boolean":
      return node.value;
    default:
      return node satisfies never;
  }
}

const parses = (run: () => unknown): boolean => {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof JsonSyntaxError) return false;
    throw error;
  }
};

describe("parseWithPositions", () => {
  it("reads what JSON.parse reads", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, "\t", "\r\n"), (json, space) => {
        const text = JSON.stringify(JSON.parse(json), null, space);
        expect(valueOf(parseWithPositions(text))).toStrictEqual(JSON.parse(text));
      }),
    );
  });

  it("refuses what JSON.parse refuses, and nothing else", () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"',
      "1",
      "-",
      "0",
      ".5",
      "e3",
      "true",
      "null",
      " ",
      "\n",
      "\\",
      String.raw`"\n"`,
      String.raw`"\x"`,
      "\t",
      "//",
      "'",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join("");
        const ours = parses(() => parseWithPositions(text));
        expect([text, ours]).toStrictEqual([text, parses(() => JSON.parse(text))]);
      }),
      { numRuns: 5000 },
    );
  });

  it("knows where everything stands", () => {
    const text = '{\n  "a": [1, {"b": "c"}],\n  "d": null\n}';
    const places: [string, number][] = [];
    const walk = (node: JsonNode): void => {
      places.push([node.kind, node.start]);
      if (node.kind === "array") node.items.forEach(walk);
      if (node.kind !== "object") return;
      for (const { key, keyStart, value } of node.members) {
        expect(text.startsWith(JSON.stringify(key), keyStart)).toBe(true);
        walk(value);
      }
    };
    walk(parseWithPositions(text));
    expect(places.map(([kind, start]) => [kind, text.slice(start, start + 3)])).toStrictEqual([
      ["object", "{\n "],
      ["array", "[1,"],
      ["number", "1, "],
      ["object", '{"b'],
      ["string", '"c"'],
      ["null", "nul"],
    ]);
  });

  it.each([
    ["", 0, "the file ends too early"],
    ["{", 1, "the file ends too early"],
    ['{"a": 1,}', 8, "a comma with nothing after it"],
    ["[1,]", 3, "a comma with nothing after it"],
    ["{a: 1}", 1, "unexpected a"],
    ["{'a': 1}", 1, "a single quote"],
    ['{"a" 1}', 5, "unexpected 1"],
    ['{"a": 1 "b": 2}', 8, 'unexpected "'],
    ["[1 2]", 3, "unexpected 2"],
    ["// x\n{}", 0, "a comment, which JSON does not have"],
    ["{} {}", 3, "unexpected {"],
    ['{"a": undefined}', 6, "unexpected undefined"],
    ['{"a": 01}', 6, "unexpected 01"],
    ['"a\nb"', 0, "a text that is not closed"],
    ['"abc', 0, "a text that is not closed"],
    ['"a\tb"', 2, "a control character within a text"],
    [String.raw`"a\qb"`, 2, "an escape that JSON does not know"],
    ["[".repeat(200), 101, "nested too deeply"],
  ])("of %j says what is wrong at offset %i", (text, offset, message) => {
    let thrown: unknown;
    try {
      parseWithPositions(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(JsonSyntaxError);
    expect(thrown).toMatchObject({ offset, message });
  });
});

describe("lineAndColumn", () => {
  it.each([
    ["abc", 0, 1, 1],
    ["abc", 2, 1, 3],
    ["a\nbc", 3, 2, 2],
    ["a\r\nbc", 3, 2, 1],
    ["a\rb", 2, 2, 1],
    ["😀a", 2, 1, 2],
  ])("of %j at %i", (text, offset, line, column) => {
    expect(lineAndColumn(text, offset)).toStrictEqual({ line, column });
  });
});
