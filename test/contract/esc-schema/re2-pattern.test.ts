/** The patterns of contracts in the syntax of RE2. evaluated.slow.test.ts checks with ESC's evaluator that they match the same values. */
import { expect, test } from "vitest";
import { writeRe2Pattern, writeRe2Text } from "../../../src/contract/esc-schema/re2-pattern.ts";

const SPACES = String.raw`\x{9}-\x{D}\x{20}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}-\x{2029}\x{202F}\x{205F}\x{3000}\x{FEFF}`;

const PATTERNS: readonly (readonly [string, string])[] = [
  // The groups and quantifiers are the same in both.
  ["ab", "ab"],
  ["a|b", "a|b"],
  ["(a|b)c", "(?:a|b)c"],
  ["(?:ab)*", "(?:ab)*"],
  ["a+", "a+"],
  ["a{2,}", "a{2,}"],
  ["a?", "a?"],
  ["a{3}", "a{3}"],
  ["a{2,3}", "a{2,3}"],
  ["a{0,2}", "a{0,2}"],
  ["a{1,1}", "a{1}"],
  ["a{0}", "a{0}"],
  ["(?:a{1,}){2}", "(?:a+){2}"],
  // Classes and escapes become ranges of code points.
  [".", String.raw`[^\x{A}\x{D}\x{2028}-\x{2029}]`],
  ["[A-Za-z_]", "[A-Z_a-z]"],
  ["[^a]", "[^a]"],
  [String.raw`[^a-z\d]`, "[^0-9a-z]"],
  [String.raw`[\w-]`, String.raw`[\x{2D}0-9A-Z_a-z]`],
  ["[a-]", String.raw`[\x{2D}a]`],
  ["[-a]", String.raw`[\x{2D}a]`],
  [String.raw`[\-a]`, String.raw`[\x{2D}a]`],
  ["[+*]", String.raw`[\x{2A}-\x{2B}]`],
  ["[b-da-c]", "[a-d]"],
  ["[a-db]", "[a-d]"],
  ["[a-cd]", "[a-d]"],
  ["[a-ce-g]", "[a-ce-g]"],
  ["[]", String.raw`[^\x{0}-\x{10FFFF}]`],
  [String.raw`[\u{1}-\u{10FFFF}]`, String.raw`[\x{1}-\x{10FFFF}]`],
  [String.raw`[^\u{10FFFF}]`, String.raw`[\x{0}-\x{10FFFE}]`],
  ["[^]", String.raw`[\x{0}-\x{10FFFF}]`],
  [String.raw`[\u{0}-\x60b-\u{10FFFF}]`, "[^a]"],
  ["[é😀-😂]", String.raw`[\x{E9}\x{1F600}-\x{1F602}]`],
  [String.raw`\d\D`, "[0-9][^0-9]"],
  [String.raw`\w\W`, "[0-9A-Z_a-z][^0-9A-Z_a-z]"],
  [String.raw`\s\S`, `[${SPACES}][^${SPACES}]`],
  [String.raw`\n\r\t\f\v`, String.raw`\x{A}\x{D}\x{9}\x{C}\x{B}`],
  [String.raw`\x41\u0042\u{43}\u{1f600}`, String.raw`ABC\x{1F600}`],
  [String.raw`\x4A1\u004a1`, "J1J1"],
  ["é😀", String.raw`\x{E9}\x{1F600}`],
  [String.raw`\.\*\+\?\(\)\[\]\{\}\|\^\$\\`, String.raw`\.\*\+\?\(\)\[\]\{\}\|\^\$\\`],
  [String.raw`\/`, "/"],
  ["aZ_09 !\"#%&',/:;<=>@`~-", "aZ_09 !\"#%&',/:;<=>@`~-"],
];

test.each(PATTERNS)("the pattern %s of a contract becomes ^(?:%s)$ in ESC", (source, expected) => {
  expect(writeRe2Pattern(source)).toBe(`^(?:${expected})$`);
});

test.each([
  ["(?:a{10}){100}", "(?:a{11}){91}"],
  ["(?:a{2,}){500}", "(?:a{2,}){501}"],
  ["(?:(?:a|b{10})c){100}", "(?:(?:a|b{10})c){101}"],
  ["(?:a{0,10}){100}", "(?:a{0,10}){101}"],
  // Repetitions that are not nested do not add up.
  ["a{1000}b{1000}", "a{1000}(?:b{10}){101}"],
  // With a million characters, the expression has the largest size that is allowed.
  [`(?:${"a".repeat(1000)}){1000}`, `(?:${"a".repeat(1001)}){1000}`],
  [`(?:${"a".repeat(500)}|${"b".repeat(500)}){1000}`, `(?:${"a".repeat(500)}|${"b".repeat(501)}){1000}`],
  [`(?:${"a".repeat(1000)}){999,}`, `(?:${"a".repeat(1000)}){1000,}`],
])("the limits of RE2 allow a pattern such as %.40s, but not %.40s", (allowed, refused) => {
  expect([writeRe2Pattern(allowed) === undefined, writeRe2Pattern(refused)]).toEqual([false, undefined]);
});

test("a text becomes an expression that matches only the text", () => {
  expect(writeRe2Text("sk-1.0/[é]😀\n^$|\\")).toBe(String.raw`sk-1\.0/\[\x{E9}\]\x{1F600}\x{A}\^\$\|\\`);
});
