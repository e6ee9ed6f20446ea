import { describe, expect, it } from "vitest";
import * as fc from "fast-check";
import { findFormatFault as faultOf, createPatternWork } from "../../src/contract/format.ts";
import { isPlaceholder } from "../../src/contract/placeholder.ts";
import type { Declaration, FormatFault, ValueFormat } from "../../src/contract/contract-model.ts";
import { NAMED_FORMATS } from "./arbitrary-contracts.ts";
import { contractOf } from "./contracts.ts";

/** Returns the declaration of a variable as a contract file declares it. */
function declarationOf(declaration: object): Declaration {
  const variable = contractOf({ variables: { A: declaration } }).variables.get("A");
  if (variable === undefined) throw new Error("not declared");
  return variable;
}

/** Returns the format as a contract file declares it. */
function formatOf(format: unknown): ValueFormat {
  const { format: of } = declarationOf({ format });
  if (of === undefined) throw new Error("no format");
  return of;
}

const integer = { type: "integer", minimum: -2, maximum: 10 };

const formatFault = (format: ValueFormat, value: string): ReturnType<typeof faultOf> =>
  faultOf(format, value, "NAME", createPatternWork());

/** Each format with values that meet it, and values that do not. */
const FORMATS: readonly (readonly [format: unknown, right: readonly string[], wrong: readonly string[]])[] = [
  [
    "url",
    [
      "https://a",
      "http://a:80/b?c#d",
      "postgresql://u:p%20w@h:5432/db",
      "mongodb://a:1,b:2/x",
      "redis://h",
      "s3+http.v-2://h",
      "http://[::1]:8080",
    ],
    [
      "",
      "a",
      "localhost:6333",
      "http:a",
      "https://",
      "redis://",
      "://a",
      "1redis://a",
      "re_dis://a",
      "https:// a",
      "https://a b",
      "https://a:99999",
      "//a",
      " https://a",
    ],
  ],
  [{ type: "url", schemes: ["https", "postgresql"] }, ["https://a", "HTTPS://a", "postgresql://a"], ["http://a", "a"]],
  ["integer", ["0", "-1", "+7", "007", "123456789012345678901234567890"], ["", "1.0", "1e3", "0x1", " 1", "1\n", "١"]],
  [integer, ["-2", "10", "0"], ["-3", "11", "x"]],
  [
    "number",
    ["0", "-1.5", ".5", ".25", "10.25", "1.", "1e3", "+2E-7", "1e10"],
    ["", ".", "e3", "1e999", "NaN", "Infinity", "0x1", "1,5"],
  ],
  [{ type: "number", minimum: 0.5 }, ["0.5", "1e9"], ["0.49"]],
  [{ type: "number", maximum: 0.5 }, ["0.5", "-1e9"], ["0.51"]],
  ["boolean", ["true", "False", "YES", "no", "on", "off", "1", "0"], ["", "y", "2", "true ", "untrue", "enabled"]],
  ["port", ["1", "80", "65535", "00080"], ["", "0", "65536", "-1", "80.0", "http"]],
  [{ type: "enum", values: ["a", "b c"] }, ["a", "b c"], ["", "A", "a ", "b"]],
  ["json", ["{}", "[1]", "1", '"x"', "null", ' {"a": [true]}\n'], ["", "{", "{a:1}", "undefined", "'x'"]],
  [
    "base64",
    ["QQ==", "QUI=", "QUJD", "QQ", "QUI", "-_-_", "QUJD\nQUJD\n"],
    ["", "Q", "Q=", "QQ=", "====", "QU JD", "+_AA", "QQ==QQ=="],
  ],
  [
    "email",
    ["a@b", "a.b+c@d-e.example", "x@xn--bcher-kva.example", "a@b1c.2d", `${"a".repeat(64)}@${"b".repeat(63)}.c`],
    ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@-b", "a@b-", "a@b_c", "a@b..c", "a@b ", `${"a".repeat(65)}@b`]
      // A label of a host name has at most 63 characters.
      .concat(`a@${"b".repeat(64)}`),
  ],
  [{ type: "text", prefix: "sk-" }, ["sk-", "sk-1"], ["", "SK-1", " sk-1"]],
  [{ type: "text", prefix: ["ghp_", "github_pat_"] }, ["ghp_1", "github_pat_1"], ["gho_1"]],
  [{ type: "text", minLength: 3 }, ["abc", "äöü", "😀😀😀"], ["ab", "", "😀😀"]],
  [{ type: "text", pattern: "[a-f]{2}\\d*" }, ["ab", "fa12"], ["a", "ab1x", "xab", "ab\n"]],
  [{ type: "text", prefix: "k-", minLength: 5, pattern: "k-[a-z]+" }, ["k-abc"], ["k-ab", "x-abc", "k-ABC"]],
];

describe("findFormatFault", () => {
  it("is tested with values for each format", () => {
    expect(FORMATS.map(([format]) => format)).toEqual(expect.arrayContaining([...NAMED_FORMATS]));
  });

  it.each(FORMATS)("accepts the right values and refuses the wrong values of the format %j", (format, right, wrong) => {
    const of = formatOf(format);
    expect(right.filter((value) => formatFault(of, value) !== undefined)).toStrictEqual([]);
    expect(wrong.filter((value) => formatFault(of, value) === undefined)).toStrictEqual([]);
  });

  it.each<[format: object | string, value: string, fault: FormatFault]>([
    ["url", "a", { kind: "not-url", schemes: [] }],
    [{ type: "url", schemes: ["https"] }, "a", { kind: "not-url", schemes: ["https"] }],
    [{ type: "url", schemes: ["https"] }, "http://a", { kind: "scheme", schemes: ["https"] }],
    [integer, "11", { kind: "out-of-range", minimum: -2, maximum: 10 }],
    [{ type: "number", minimum: 0.5 }, "0", { kind: "out-of-range", minimum: 0.5 }],
    [{ type: "enum", values: ["a", "b c"] }, "b", { kind: "not-in-enum", values: ["a", "b c"] }],
    [{ type: "text", prefix: ["k-", "l-"], minLength: 5 }, "m", { kind: "prefix", prefixes: ["k-", "l-"] }],
    [{ type: "text", prefix: "k-", minLength: 5 }, "k-ab", { kind: "too-short", minLength: 5 }],
    [{ type: "text", minLength: 2, pattern: "[a-f]+" }, "xy", { kind: "pattern", pattern: "[a-f]+" }],
  ])("says what is wrong: with the format %j, the value %s has the fault %j", (format, value, fault) => {
    expect(formatFault(formatOf(format), value)).toStrictEqual(fault);
  });

  it.each([
    "http://host:80O0",
    "https://host:99999/path?query#fragment",
    "HTTPS://user:password@host:port",
    "ws://[::1]:80x?query",
  ])("says that only the port of %s is wrong", (value) => {
    expect(formatFault(formatOf("url"), value)).toStrictEqual({ kind: "url-port" });
  });

  it.each([
    "http://",
    "http://:80x",
    "http://user@",
    "http://a%zz/b:80x",
    "https://[::1",
    "http://[::1]x",
    "redis:x:80x",
  ])("does not blame the port of %s, which is no URL without it either", (value) => {
    expect(formatFault(formatOf("url"), value)).toStrictEqual({ kind: "not-url", schemes: [] });
  });

  it("leaves the ports of other schemes to the programs that read them", () => {
    expect(formatFault(formatOf("url"), "mongodb://a:1,b:x/db")).toBeUndefined();
  });

  it("matches patterns with values of up to 1 MiB, which is more than a program can get", () => {
    const format = formatOf({ type: "text", pattern: "a*" });
    const limit = 1024 * 1024;
    expect(formatFault(format, "a".repeat(limit))).toBeUndefined();
    expect(formatFault(format, "a".repeat(limit + 1))).toStrictEqual({ kind: "too-long", maxLength: limit });
  });

  it("accepts every integer of the format's range and no other", () => {
    const of = formatOf(integer);
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), (number) => {
        expect(formatFault(of, String(number)) === undefined).toBe(number >= -2 && number <= 10);
      }),
    );
  });

  it("accepts what base64 and JSON encoders write", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        expect(formatFault({ kind: "base64" }, buffer.toString("base64"))).toBeUndefined();
        expect(formatFault({ kind: "base64" }, buffer.toString("base64url"))).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(formatFault({ kind: "json" }, json)).toBeUndefined();
      }),
    );
  });
});

describe("isPlaceholder", () => {
  it.each<[object, readonly string[], readonly string[]]>([
    [
      {},
      [
        "<key>",
        "<your key here>",
        "your-key",
        "your_api_key_here",
        "YOUR-TOKEN",
        "changeme",
        "CHANGE_ME",
        "change-me",
        "replace_this",
        "xxx",
        "XXXXXXXX",
        "...",
        "…",
        " changeme\n",
      ],
      ["key", "<", "<>", "a<b>c", "yourself", "youre-ok", "changeme2", "xx", "..", "sk-your-key"],
    ],
    [{ example: "sk-<key>" }, ["sk-<key>", "other <key> left"], ["sk-key", "sk-<other>x"]],
    [{ example: "abcdef" }, ["abcdef"], ["abcdefg"]],
    [{ example: "info", secret: false }, ["changeme"], ["info"]],
    [{ example: "https://<host>", secret: false }, ["https://<host>", "http://<host>/"], ["https://host"]],
    [{ example: "8080", format: "port" }, [], ["8080", "<port>"]],
    [{ example: "changeme", format: { type: "enum", values: ["changeme"] } }, [], ["changeme"]],
  ])("recognizes placeholders, and no other values, for the declaration %j", (declaration, placeholders, values) => {
    const variable = declarationOf(declaration);
    expect(placeholders.filter((value) => !isPlaceholder(variable, value))).toStrictEqual([]);
    expect(values.filter((value) => isPlaceholder(variable, value))).toStrictEqual([]);
  });
});
