import { expectWording } from "../../helpers/wording.ts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Node } from "jsonc-parser";
import {
  JsonSyntaxError,
  positionAt,
  addPositions,
  membersOf,
  parseWithPositions,
  createOffsetFinder,
} from "../../../src/contract/file/positions.ts";

/** Returns the value as JSON.parse would: of two equal keys, the last value is taken. */
function valueOf(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(valueOf);
  if (node.type !== "object") return node.value;
  const object = {};
  for (const { key, value } of membersOf(node)) {
    Object.defineProperty(object, key, {
      value: valueOf(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return object;
}

const isParsed = (run: () => unknown): boolean => {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof JsonSyntaxError) return false;
    throw error;
  }
};

describe("parseWithPositions", () => {
  it("reads everything that JSON.parse reads", () => {
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
        const ours = isParsed(() => parseWithPositions(text));
        expect([text, ours]).toStrictEqual([text, isParsed(() => JSON.parse(text))]);
      }),
      { numRuns: 5000 },
    );
  });

  it("gives the offset of every key and value", () => {
    const text = '{\n  "a": [1, {"b": "c"}],\n  "d": null\n}';
    const places: [string, number][] = [];
    const walk = (node: Node): void => {
      places.push([node.type, node.offset]);
      if (node.type === "array") node.children?.forEach(walk);
      for (const { key, offset, value } of membersOf(node)) {
        expect(text.startsWith(JSON.stringify(key), offset)).toBe(true);
        walk(value);
      }
    };
    walk(parseWithPositions(text));
    expect(places.map(([type, start]) => [type, text.slice(start, start + 3)])).toStrictEqual([
      ["object", "{\n "],
      ["array", "[1,"],
      ["number", "1, "],
      ["object", '{"b'],
      ["string", '"c"'],
      ["null", "nul"],
    ]);
  });

  it.each([
    ["", 0],
    ["{", 1],
    ['{"a": 1,}', 8],
    ["[1,]", 3],
    ["{a: 1}", 1],
    ["{'a': 1}", 1],
    ['{"a" 1}', 5],
    ['{"a": 1 "b": 2}', 8],
    ["[1 2]", 3],
    ["// x\n{}", 0],
    ["{} {}", 3],
    ['{"a": undefined}', 6],
    ['{"a": 01}', 7],
    ['"a\nb"', 0],
    ['"abc', 0],
    ['"a\tb"', 2],
    ['"a\\qb"', 2],
    ["[".repeat(200), 101],
  ])("finds the first error of %j at offset %i", (text, offset) => {
    let thrown: unknown;
    try {
      parseWithPositions(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(JsonSyntaxError);
    expect(thrown).toMatchObject({ fault: { offset } });
    expectWording(String(thrown));
  });
});

it("parseWithPositions refuses 100,000 levels, and does not overflow the stack", () => {
  for (const text of ["[".repeat(100_000), `${"[".repeat(100_000)}${"]".repeat(100_000)}`, '{"a":'.repeat(100_000)]) {
    expect(() => parseWithPositions(text)).toThrow(/^nested too deeply$/);
  }
});

describe("positionAt", () => {
  it.each([
    ["abc", 0, 1, 1],
    ["abc", 2, 1, 3],
    ["a\nbc", 3, 2, 2],
    ["a\r\nbc", 3, 2, 1],
    ["a\rb", 2, 2, 1],
    ["😀a", 2, 1, 2],
  ])("gives the line and column in %j of the offset %i", (text, offset, line, column) => {
    expect(positionAt(text, offset)).toStrictEqual({ line, column });
  });
});

// If each position were counted from the beginning of the text, this would take longer than a test may take.
it.each([
  ["on one line", "😀,"],
  ["on many lines", "😀,\r\n"],
])("addPositions locates 200,000 offsets %s in linear time, each as positionAt does", (_, part) => {
  const text = part.repeat(200_000);
  const places = Array.from({ length: 200_000 }, (__, index) => ({ offset: index * part.length + 2 }));
  const all = addPositions(text, places);
  for (const index of [0, 1, 777, 199_999]) {
    const { offset } = places[index] ?? expect.unreachable();
    expect(all[index]).toStrictEqual({ offset, ...positionAt(text, offset) });
  }
});

it("createOffsetFinder finds the positions of 60,000 issues without searching through all members for each", () => {
  const text = JSON.stringify(Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`KEY_${index}`, [1]])));
  const offsetOf = createOffsetFinder(parseWithPositions(text));
  for (let index = 0; index < 60_000; index += 1) {
    const offset = offsetOf({ path: [`KEY_${index}`, 0, "absent"], isAtKey: false });
    if (index % 5000 === 0) expect(text.slice(0, offset).endsWith(`"KEY_${index}":[`)).toBe(true);
  }
  expect(offsetOf({ path: ["KEY_7"], isAtKey: true })).toBe(text.indexOf('"KEY_7"'));
});
