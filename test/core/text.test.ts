import { expect, test } from "vitest";
import { mask } from "../../src/core/mask.ts";
import { count, enumerate, printable } from "../../src/core/text.ts";
import { wrap } from "../../src/core/lines.ts";

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
])("mask %j", (value, masked) => expect(mask(value)).toBe(masked));

test("printable leaves no control character and no bidirectional override", () => {
  expect(printable("a\u001B[31m\r\n\tb\u0000\u009B\u202Ec\u2028")).toBe(
    "a\\u001b[31m\\r\\n\\tb\\u0000\\u009b\\u202ec\\u2028",
  );
  expect(printable("plain – text, ÄÖ 日本")).toBe("plain – text, ÄÖ 日本");
});

test("enumerate and count", () => {
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

test("wrap breaks at spaces, yet not within a command that is there to be pasted", () => {
  expect(wrap("aa bb cc", 5)).toEqual(["aa bb", "cc"]);
  expect(wrap("aa bb cc", 5, "  ", 2)).toEqual(["aa", "  bb", "  cc"]);
  expect(wrap("not yours: chmod o-w /a/b or name it", 20)).toEqual(["not yours:", "chmod o-w /a/b or", "name it"]);
  expect(wrap("it is: chmod 600 'a b c' to end that", 20)).toEqual(["it is:", "chmod 600 'a b c' to", "end that"]);
  expect(wrap("runs code; --allow A,B passes them on", 20)).toEqual(["runs code;", "--allow A,B passes", "them on"]);
  expect(wrap("to do it: sophia-run rotate A --in b", 20)).toEqual(["to do it:", "sophia-run rotate A --in b"]);
  expect(wrap("ask: pulumi env open-request a/b", 20)).toEqual(["ask:", "pulumi env open-request a/b"]);
});
