import { expect, test } from "vitest";
import {
  findBlockComments,
  createPassageTest,
  findPythonStrings,
} from "../../../../src/commands/parts/code/passages.ts";

test("a position is in a passage behind its first character and before its end", () => {
  const isIn = createPassageTest(findBlockComments("a /* b */ c /* d */"));
  expect(Array.from({ length: 19 }, (_, at) => at).filter(isIn)).toEqual([3, 4, 5, 6, 13, 14, 15, 16]);
});

test.each([
  ["comments", " /* "],
  ["escaped quotes", '\\"'],
  ["quotes", "'\\'"],
  ["strings of lines", "'''"],
])("searching 1 MiB of %s without an end takes linear time", (_, part) => {
  const text = part.repeat(1024 * 1024).slice(0, 1024 * 1024);
  const begin = performance.now();
  for (const written of [text, `"${text}`]) {
    findBlockComments(written);
    findPythonStrings(written);
  }
  // A few hundred; in quadratic time it takes minutes.
  expect(performance.now() - begin).toBeLessThan(5000);
});
