/** Tests how text is prepared for messages. */
import { expect, test } from "vitest";
import { formatJson } from "../../src/core/json-text.ts";
import { mask } from "../../src/output/esc-report.ts";
import { count, enumerate, printable } from "../../src/core/text.ts";
import { layOut, unbroken, wrap } from "../../src/core/lines.ts";
import { withCommandsWhole } from "../../src/output/layout.ts";

test.each([
  ["", "***"],
  ["short", "***"],
  ["elevenchars", "***"],
  ["twelve-chars", "***hars"],
  ["a much longer secret", "***cret"],
  // Twelve UTF-16 units, six characters.
  ["😀😀😀😀😀😀", "***"],
  ["😀😀😀😀😀😀😀😀😀😀😀😀", "***😀😀😀😀"],
  ["-----END KEY-----\n", "***---\\n"],
])("masking %j shows at most its last four characters", (value, masked) => expect(mask(value)).toBe(masked));

test("printable text contains no control character and no bidirectional override", () => {
  expect(printable("a\u001B[31m\r\n\tb\u0000\u009B\u202Ec\u2028")).toBe(
    "a\\u001b[31m\\r\\n\\tb\\u0000\\u009b\\u202ec\\u2028",
  );
  expect(printable("plain – text, ÄÖ 日本")).toBe("plain – text, ÄÖ 日本");
  // A byte that is not UTF-8, in the executable for Linux.
  expect(printable("a\uDC9Bb 😀")).toBe("a\uFFFDb 😀");
  expect(formatJson(["\uDC9B"])).toBe('[\n  "\uFFFD"\n]\n');
});

test("lists of words are joined, and their number is named", () => {
  expect([enumerate([]), enumerate(["a"]), enumerate(["a", "b"]), enumerate(["a", "b", "c"])]).toEqual([
    "",
    "a",
    "a and b",
    "a, b and c",
  ]);
  expect([enumerate(["a"], "or"), enumerate(["a and b", "c", "d and e"], "or")]).toEqual([
    "a",
    "a and b, c or d and e",
  ]);
  expect([count(0, "check"), count(1, "check"), count(2, "check")]).toEqual(["0 checks", "1 check", "2 checks"]);
});

test("lines are broken at spaces, but not within a marked part", () => {
  expect(wrap(`run ${unbroken("a b c")} to end that`, 5)).toEqual(["run", "a b c", "to", "end", "that"]);
  expect(wrap(unbroken("a b c"), 80)).toEqual(["a b c"]);
  expect(wrap(`  ${unbroken("a b c")} d`, 4)).toEqual(["  a b c d"]);
  expect(layOut({ text: `${unbroken("a b c")} d e`, hangingIndent: 6 }, 8)).toEqual(["a b c d", "      e"]);
  expect(layOut({ text: unbroken("a b c"), hangingIndent: 2 }, 3)).toEqual(["a b c"]);
  expect(layOut({ text: unbroken("a b c"), neverWraps: true }, 3)).toEqual(["a b c"]);
  expect(wrap("aa bb cc", 5)).toEqual(["aa bb", "cc"]);
  expect(wrap("aa bb cc", 5, "  ", 2)).toEqual(["aa", "  bb", "  cc"]);
});

test("a command that the user pastes is marked as unbreakable", () => {
  expect(wrap(withCommandsWhole("not yours: chmod o-w /a/b or name it"), 20)).toEqual([
    "not yours:",
    "chmod o-w /a/b or",
    "name it",
  ]);
  expect(wrap(withCommandsWhole("it is: chmod 600 'a b c' to end that"), 20)).toEqual([
    "it is:",
    "chmod 600 'a b c' to",
    "end that",
  ]);
  expect(wrap(withCommandsWhole("runs code; --allow A,B passes them on"), 20)).toEqual([
    "runs code;",
    "--allow A,B passes",
    "them on",
  ]);
  expect(wrap(withCommandsWhole("to do it: sophia-run rotate A --in b"), 20)).toEqual([
    "to do it:",
    "sophia-run rotate A --in b",
  ]);
  expect(wrap(withCommandsWhole("ask: pulumi env open-request a/b"), 20)).toEqual([
    "ask:",
    "pulumi env open-request a/b",
  ]);
});
