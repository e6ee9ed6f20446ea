/** What each escape stands for, and how many bytes must have arrived before this is certain. */
import { describe, expect, test } from "vitest";
import { END_OF_STREAM, nestDecoders, PENDING, type Unit } from "../../../src/masking/encodings/decoder.ts";
import { ENCODINGS, LINE_ENDS, PLAIN, WRAPPED, type Encoding } from "../../../src/masking/encodings/encodings.ts";

const [, , JSON_1, JSON_2, JSON_3, SHELL, FORM, PERCENT_FORM, PERCENT_JSON, FORM_JSON, XML, XML_JSON] = ENCODINGS;

/** Returns the readings of the escape with which a text begins, each as its length, its bytes, and whether only shells write it. */
function decode(encoding: Encoding | undefined, text: string, byteAfter: number): readonly string[] | undefined {
  const bytes = Buffer.from(text, "latin1");
  const units = encoding?.decoder?.decode((index) => bytes[index] ?? byteAfter);
  return units?.map(describeUnit);
}

function describeUnit({ length, bytes, isShell }: Unit): string {
  return [`${length}`, Buffer.from(bytes).toString("hex"), ...(isShell === true ? ["shell"] : [])].join(" ");
}

type Row = readonly [text: string, ...readings: readonly string[]];

/** Checks that the readings are certain with the last byte of the text, and not before. */
function expectReadings(encoding: Encoding | undefined, rows: readonly Row[]): void {
  for (const [text, ...readings] of rows) {
    expect([text, decode(encoding, text, PENDING)]).toEqual([text, readings]);
    for (let length = 1; length < text.length; length++) {
      const beginning = text.slice(0, length);
      expect([beginning, decode(encoding, beginning, PENDING)]).toEqual([beginning, undefined]);
    }
  }
}

describe("an escape with a backslash stands for", () => {
  test("one byte if a letter follows", () => {
    expectReadings(JSON_1, [
      [String.raw`\b`, "2 08"],
      [String.raw`\t`, "2 09"],
      [String.raw`\n`, "2 0a"],
      [String.raw`\f`, "2 0c"],
      [String.raw`\r`, "2 0d"],
      [String.raw`\a`, "2 07 shell"],
      [String.raw`\v`, "2 0b shell"],
      [String.raw`\e`, "2 1b shell"],
      [String.raw`\E`, "2 1b shell"],
    ]);
  });

  test("the next character if that is neither a letter nor a digit", () => {
    expectReadings(JSON_1, [
      [String.raw`\"`, "2 22"],
      [String.raw`\/`, "2 2f"],
      ["\\\\", "2 5c"],
      [String.raw`\'`, "2 27 shell"],
      [String.raw`\$`, "2 24 shell"],
      [String.raw`\ `, "2 20 shell"],
      [String.raw`\@`, "2 40 shell"],
      [String.raw`\[`, "2 5b shell"],
      ["\\`", "2 60 shell"],
      [String.raw`\{`, "2 7b shell"],
      [String.raw`\:`, "2 3a shell"],
      ["\\\xc3", "2 c3 shell"],
    ]);
  });

  test("nothing if no encoder writes it", () => {
    expectReadings(
      JSON_1,
      Array.from("ABCDFGZcdghz89", (letter) => [`\\${letter}`] as const),
    );
  });

  test("the character of UTF-16 whose code has four digits, or the byte that Python writes so", () => {
    expectReadings(JSON_1, [
      [String.raw`\u0000`, "6 00"],
      [String.raw`\u007f`, "6 7f"],
      [String.raw`\u0080`, "6 c280"],
      [String.raw`\u00e9`, "6 c3a9"],
      [String.raw`\uABCD`, "6 eaaf8d"],
      [String.raw`\ud7ff`, "6 ed9fbf"],
      [String.raw`\ue000`, "6 ee8080"],
      [String.raw`\uffff`, "6 efbfbf"],
      [String.raw`\udc80`, "6 80"],
      [String.raw`\udcff`, "6 ff"],
      [String.raw`\ug`],
      [String.raw`\u00e:`],
      [String.raw`\u00/`],
    ]);
  });

  test("the character that a pair of surrogates has, and nothing if they are no pair", () => {
    expectReadings(JSON_1, [
      [String.raw`\ud83d\ude00`, "12 f09f9880"],
      [String.raw`\ud800\udc00`, "12 f0908080"],
      [String.raw`\udbff\udfff`, "12 f48fbfbf"],
      [String.raw`\ud800\udbff`],
      [String.raw`\ud800\ue000`],
      [String.raw`\ud800\u00g`],
      [String.raw`\ud800\n`],
      [String.raw`\ud800u`],
      [String.raw`\udc00\udc00`],
      [String.raw`\udc7f\udc00`],
      [String.raw`\udd00\udc00`],
      [String.raw`\udfff\udfff`],
    ]);
  });

  test("the character whose code is in braces or has eight digits", () => {
    expectReadings(JSON_1, [
      [String.raw`\u{9}`, "5 09 shell"],
      [String.raw`\u{1f600}`, "9 f09f9880 shell"],
      [String.raw`\u{10FFFF}`, "10 f48fbfbf shell"],
      [String.raw`\u{d7ff}`, "8 ed9fbf shell"],
      [String.raw`\u{e000}`, "8 ee8080 shell"],
      [String.raw`\u{d800}`],
      [String.raw`\u{dfff}`],
      [String.raw`\u{110000}`],
      [String.raw`\u{0000009`],
      [String.raw`\u{}`],
      [String.raw`\u{9g`],
      [String.raw`\U0001f600`, "10 f09f9880 shell"],
      [String.raw`\U0010ffff`, "10 f48fbfbf shell"],
      [String.raw`\U00110000`],
      [String.raw`\U0000dabc`],
      [String.raw`\U0001f60g`],
      [String.raw`\Ug`],
    ]);
  });

  test("the byte, or the character from 80 on, whose code has one or two hexadecimal digits", () => {
    expectReadings(JSON_1, [
      [String.raw`\x41`, "4 41 shell"],
      [String.raw`\x7f`, "4 7f shell"],
      [String.raw`\x80`, "4 80 shell", "4 c280 shell"],
      [String.raw`\xE9`, "4 e9 shell", "4 c3a9 shell"],
      [String.raw`\x4g`, "3 04 shell"],
      [String.raw`\xg`],
    ]);
  });

  test("the byte whose code has one to three octal digits", () => {
    expectReadings(JSON_1, [
      [String.raw`\101`, "4 41 shell"],
      [String.raw`\000`, "4 00 shell"],
      [String.raw`\777`, "4 ff shell"],
      [String.raw`\18`, "2 01 shell"],
      [String.raw`\7f`, "2 07 shell"],
      [String.raw`\17 `, "3 0f shell"],
    ]);
  });
});

test("$'…' stands for its bytes or for itself if it contains only escapes, and for itself otherwise", () => {
  const ansiQuotes = (count: number, end: string): string => `$'${String.raw`\e`.repeat(count)}${end}`;
  expectReadings(JSON_1, [
    [String.raw`$'\e'`, "5 1b shell", "1 24"],
    [String.raw`$'\001\x7f\n'`, "13 017f0a shell", "1 24"],
    [String.raw`$'\u{d}'`, "8 0d shell", "1 24"],
    [String.raw`$'\xe9'`, "7 e9 shell", "1 24"],
    ["$n", "1 24"],
    [`$"`, "1 24"],
    ["$'a", "1 24"],
    ["$''", "1 24"],
    [String.raw`$'\ea`, "1 24"],
    [String.raw`$'\q`, "1 24"],
    // It is decoded up to 64 bytes.
    [ansiQuotes(29, String.raw`\x9'`), `64 ${"1b".repeat(29)}09 shell`, "1 24"],
    [ansiQuotes(31, ""), "1 24"],
  ]);
});

test("a shell's quote stands for nothing or for itself, and one with a backslash for a quote", () => {
  expectReadings(SHELL, [
    ["'", "1  shell", "1 27"],
    ['"', "1  shell", "1 22"],
    [String.raw`\'`, "2 27 shell", "1 5c"],
    [String.raw`\"`, "1 5c"],
    ["\\\\", "1 5c"],
    [String.raw`\n`, "1 5c"],
  ]);
});

test("a percent sign with two digits stands for a byte or for itself, and a plus sign for a space or for itself", () => {
  expectReadings(FORM, [
    ["+", "1 20", "1 2b"],
    ["%00", "3 00", "1 25"],
    ["%09", "3 09", "1 25"],
    ["%90", "3 90", "1 25"],
    ["%aF", "3 af", "1 25"],
    ["%Fa", "3 fa", "1 25"],
    ...Array.from("/:@G`g+%", (character) => [`%${character}`, "1 25"] as const),
    ...Array.from("/:@G`g+%", (character) => [`%0${character}`, "1 25"] as const),
  ]);
});

test("a reference of XML stands for a character by its name or number, and an ampersand in another text for itself", () => {
  expectReadings(XML, [
    ["&amp;", "5 26"],
    ["&lt;", "4 3c"],
    ["&gt;", "4 3e"],
    ["&quot;", "6 22"],
    ["&apos;", "6 27"],
    ["&#38;", "5 26"],
    ["&#128512;", "9 f09f9880"],
    ["&#x26;", "6 26"],
    ["&#X2f;", "6 2f"],
    ["&#xE9;", "6 c3a9"],
    ["&#1114111;", "10 f48fbfbf"],
    ["&#x000010ffff;", "14 f48fbfbf"],
    ["&#x000010fffff", "1 26"],
    ["&abcdefghijklm", "1 26"],
    ["&#1114112;"],
    ["&#xd800;"],
    ["&#57343;"],
    ["&nbsp;"],
    ["&#;"],
    ["&#x;"],
    ["&;"],
    ...["& ", "&&", "&A", "&1", "&amp ", "&ampX", "&amp1", "&#a", "&#-", "&#1a", "&#1x"].map(
      (text) => [text, "1 26"] as const,
    ),
    ["&#xg", "1 26"],
    ["&#x1x", "1 26"],
    ["&#Xx", "1 26"],
  ]);
});

describe("if a text was encoded twice, an escape stands for what both encodings make of it:", () => {
  test("JSON in JSON", () => {
    expectReadings(JSON_2, [
      [String.raw`\\n`, "3 0a"],
      [String.raw`\\\"`, "4 22"],
      [String.raw`\\\\`, "4 5c"],
      [String.raw`\\u00e9`, "7 c3a9"],
      [String.raw`\\ud83d\\ude00`, "14 f09f9880"],
      [String.raw`\u005cn`, "7 0a"],
      [String.raw`\u005c\u006e`, "12 0a"],
      [String.raw`\\xe9`, "5 e9 shell", "5 c3a9 shell"],
      [String.raw`\"`, "2 22"],
      [String.raw`\n`, "2 0a"],
      [String.raw`\u00e9`, "6 c3a9"],
      [String.raw`\ud83d\ude00`, "12 f09f9880"],
      // The outer escape has two readings, of which the first one is used.
      [String.raw`\xe9`, "4 e9"],
      [String.raw`\$a`, "2 24"],
      [String.raw`\\q`],
      [String.raw`\q`],
    ]);
  });

  test("JSON in JSON in JSON", () => {
    expectReadings(JSON_3, [
      [String.raw`\\\\n`, "5 0a"],
      [String.raw`\\\\\\\"`, "8 22"],
      [String.raw`\\\\u00e9`, "9 c3a9"],
      [String.raw`\\\"`, "4 22"],
      [String.raw`\"`, "2 22"],
    ]);
  });

  test("URLs, and JSON in a URL", () => {
    expectReadings(PERCENT_FORM, [
      ["%2541", "5 41", "3 25"],
      ["%2B", "3 20", "3 2b"],
      ["+", "1 20", "1 2b"],
      ["%41", "3 41"],
      ["%25g", "3 25"],
      ["%g", "1 25"],
    ]);
    expectReadings(PERCENT_JSON, [
      ["%5Cn", "4 0a"],
      ["%5c%22", "6 22"],
      ["%5C%5C", "6 5c"],
      [String.raw`\n`, "2 0a"],
      [String.raw`\%22`, "4 22"],
      ["%22", "3 22"],
    ]);
    expectReadings(FORM_JSON, [
      ["%5C%22", "6 22"],
      ["%5C+", "4 20 shell"],
      ["+", "1 20"],
      [String.raw`\n`, "2 0a"],
    ]);
  });

  test("JSON in XML", () => {
    expectReadings(XML_JSON, [
      [String.raw`\&quot;`, "7 22"],
      ["&#92;n", "6 0a"],
      ["&#x5c;&#34;", "11 22"],
      ["&amp;", "5 26"],
      [String.raw`\n`, "2 0a"],
      ["&nbsp;", "1 26"],
    ]);
  });
});

test("at the end of the stream each escape is certain, and one that is cut off stands for itself or for nothing", () => {
  const readings = (encoding: Encoding | undefined, ...texts: readonly string[]): unknown =>
    texts.map((text) => decode(encoding, text, END_OF_STREAM));
  expect(readings(JSON_1, String.raw`\u00e`, String.raw`\ud83d`, String.raw`\ud83d\u`, String.raw`\u{9`)).toEqual([
    [],
    [],
    [],
    [],
  ]);
  expect(readings(JSON_1, String.raw`\x`, String.raw`\x4`, String.raw`\1`, String.raw`\U0001f60`)).toEqual([
    [],
    ["3 04 shell"],
    ["2 01 shell"],
    [],
  ]);
  expect(readings(JSON_1, "$", "$'", String.raw`$'\e`)).toEqual([["1 24"], ["1 24"], ["1 24"]]);
  expect(readings(SHELL, "\\")).toEqual([["1 5c"]]);
  expect(readings(FORM, "%", "%4")).toEqual([["1 25"], ["1 25"]]);
  expect(readings(XML, "&", "&am", "&#3")).toEqual([["1 26"], ["1 26"], ["1 26"]]);
  expect(readings(JSON_2, String.raw`\\u00e`)).toEqual([[]]);
  expect(readings(PERCENT_FORM, "%25", "%254")).toEqual([["3 25"], ["3 25"]]);
});

test("the encodings have the order of the search in C, and each byte with which an escape may begin", () => {
  const describeEncoding = ({ name, starts, neverPlain }: Encoding): readonly [string, string, string] => [
    name,
    String.fromCharCode(...starts),
    String.fromCharCode(...neverPlain),
  ];
  expect(ENCODINGS.map(describeEncoding)).toEqual([
    ["plain", "\r", "\r"],
    ["base64", "\r\n", ""],
    ["JSON", "\\$", "\\$"],
    ["JSON", "\\$", "\\$"],
    ["JSON", "\\$", "\\$"],
    ["shell", "'\"\\", "'"],
    ["URL", "%+", "%+"],
    ["URL", "%+", "%+"],
    ["URL", "%\\$", "%\\$"],
    ["URL", "%+\\$", "%+\\$"],
    ["XML", "&", "&"],
    ["XML", "&\\$", "&\\$"],
  ]);
  expect(describeEncoding(PLAIN)).toEqual(["plain", "", ""]);
  expect([PLAIN, LINE_ENDS, WRAPPED].map(({ decoder }) => decoder)).toEqual([undefined, undefined, undefined]);
});

test("an encoding has at least one decoder", () => {
  expect(() => nestDecoders([])).toThrow(new RangeError("no encoding"));
});
