import { expect, test } from "vitest";
import { diffBlocks } from "../../../src/commands/enforce/block-diff.ts";

/** Returns the diff of two blocks, each given as its characters, one a line. */
function diff(before: string, after: string, firstLine = 11): readonly string[] {
  return diffBlocks({ lines: Array.from(before), firstLine }, { lines: Array.from(after), firstLine });
}

test.each<[before: string, after: string, lines: readonly string[]]>([
  ["", "", []],
  ["abc", "abc", []],
  ["", "ab", ["@@ -10,0 +11,2 @@", "+a", "+b"]],
  ["ab", "", ["@@ -11,2 +10,0 @@", "-a", "-b"]],
  ["a", "b", ["@@ -11,1 +11,1 @@", "-a", "+b"]],
  ["abcXdef", "abcYdef", ["@@ -11,7 +11,7 @@", " a", " b", " c", "-X", "+Y", " d", " e", " f"]],
  ["1abcXdef2", "1abcYZdef2", ["@@ -12,7 +12,8 @@", " a", " b", " c", "-X", "+Y", "+Z", " d", " e", " f"]],
  ["123ab", "123abX", ["@@ -13,3 +13,4 @@", " 3", " a", " b", "+X"]],
  ["ab123", "Xab123", ["@@ -11,3 +11,4 @@", "+X", " a", " b", " 1"]],
  ["abX", "ab", ["@@ -11,3 +11,2 @@", " a", " b", "-X"]],
  // A repeated line belongs to the common beginning, and not to the common end as well.
  ["aa", "aaa", ["@@ -11,2 +11,3 @@", " a", " a", "+a"]],
  ["aaa", "aa", ["@@ -11,3 +11,2 @@", " a", " a", "-a"]],
  // Two changes are one hunk, with the lines between them.
  ["aXbXc", "aYbYc", ["@@ -11,5 +11,5 @@", " a", "-X", "-b", "-X", "+Y", "+b", "+Y", " c"]],
])("the unified diff of %j and %j is a hunk with three lines around the change", (before, after, lines) => {
  expect(diff(before, after)).toEqual(lines);
});

test("the unified diff numbers the lines as the file does, also of a block that has moved", () => {
  expect(diff("a", "b", 1)).toEqual(["@@ -1,1 +1,1 @@", "-a", "+b"]);
  expect(diffBlocks({ lines: ["a"], firstLine: 5 }, { lines: ["b"], firstLine: 9 })[0]).toBe("@@ -5,1 +9,1 @@");
});
