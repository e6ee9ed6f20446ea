/** How much of a secret silences show: at most a quarter of it, and at most seven characters. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Masking } from "../../src/masking/masking.ts";
import type { Secret } from "../../src/masking/masking-model.ts";
import { SEARCHES } from "./compiled-search.ts";

const secrets = (...values: readonly (string | Uint8Array)[]): readonly Secret[] =>
  values.map((value, index) => ({ name: `SECRET_${index}`, value }));

/**
 * Writes an output byte by byte, with a silence after each byte.
 *
 * @returns what has been passed on, while the output has not ended
 */
function writeWithSilences(masking: Masking, output: string | Uint8Array): string {
  const masker = masking.stream();
  const parts: Buffer[] = [];
  for (const byte of Buffer.from(output)) {
    parts.push(Buffer.from(masker.push(Uint8Array.of(byte))));
    if (masker.revealsLittle) parts.push(Buffer.from(masker.flush()));
  }
  return Buffer.concat(parts).toString();
}

/** Returns hexadecimal digits that do not repeat a short sequence. */
function makeHexadecimal(length: number): string {
  const blocks = Array.from({ length: Math.ceil(length / 64) }, (_, block) =>
    createHash("sha256").update(`${block}`).digest("hex"),
  );
  return blocks.join("").slice(0, length);
}
const encodeBase64 = (value: string | Uint8Array): string => Buffer.from(value).toString("base64");
const breakLines = (text: string, width: number, end: string): string =>
  text.replaceAll(new RegExp(`.{${width}}`, "gs"), `$&${end}`);
const encodeEach = (text: string, encode: (code: string) => string): string =>
  Array.from(text, (character) => encode(character.charCodeAt(0).toString(16).padStart(4, "0"))).join("");
const escapeAsNumbers = (text: string): string => encodeEach(text, (code) => `\\u${code}`);
const escapeAsPercents = (text: string): string => encodeEach(text, (code) => `%${code.slice(2)}`);

const PEM = `-----BEGIN PRIVATE KEY-----\n${breakLines(encodeBase64(makeHexadecimal(900)), 64, "\n")}\n-----END PRIVATE KEY-----`;

describe.each(SEARCHES)("with the search in %s, silences show", (_, masking) => {
  test.each([
    [6, 1],
    [7, 1],
    [8, 2],
    [9, 2],
    [12, 3],
    [27, 6],
    [28, 7],
    [200, 7],
    [511, 7],
    // A value of this length is masked in parts of 256 bytes.
    [512, 7],
    [3000, 7],
  ])("of a secret of %i characters the first %i", (length, shown) => {
    const value = makeHexadecimal(length);
    expect(writeWithSilences(masking(secrets(value)), `x ${value} y`)).toBe(`x ${value.slice(0, shown)}*** y`);
  });

  test.each([
    ["äöüßäöüß", 2],
    ["Äbcdefgh", 2],
    ["abcdefÄÖ", 2],
    ["aaaaaa😀😀😀😀😀😀", 3],
    ["😀😀😀😀😀😀aaaaaa", 3],
    ["😀".repeat(100), 7],
  ])("of the secret %s the first %i characters", (value, shown) => {
    expect(writeWithSilences(masking(secrets(value)), `x ${value} y`)).toBe(
      `x ${Array.from(value).slice(0, shown).join("")}*** y`,
    );
  });

  test("a quarter of the bytes of a value that is not text", () => {
    const value = Buffer.from("80818283ff81828384858687", "hex");
    expect(writeWithSilences(masking(secrets(value)), Buffer.concat([value, Buffer.from(" y")]))).toBe(
      "\uFFFD\uFFFD\uFFFD*** y",
    );
  });

  test.each<readonly [string, string, string, string]>([
    ["JSON", 'hunter"2xy', String.raw`hunter\"2xy`, "hu"],
    ["numbers of JSON", "hunter2xy", escapeAsNumbers("hunter2xy"), "\\u0068\\"],
    ["percent signs", "hunter2xy", escapeAsPercents("hunter2xy"), "%68%75%"],
    ["percent signs of a short value", "hunter", escapeAsPercents("hunter"), "%68%"],
    ["a shell's word", "h'nter2xy", String.raw`h'\''nter2xy`, String.raw`h'\''`],
    [
      "words of a shell's control characters",
      "\u0001\u0002hunter2xy",
      String.raw`$'\001'$'\002'hunter2xy`,
      String.raw`$'\001'`,
    ],
    ["CR LF", "ab\nhunter2xyz", "ab\r\nhunter2xyz", "ab\r\n"],
    ["XML", "hunter<2xy", "hunter&lt;2xy", "hu"],
  ])("at most a quarter of a secret in %s", (__, value, output, shown) => {
    expect(writeWithSilences(masking(secrets(value)), `x ${output} y`)).toBe(`x ${shown}*** y`);
  });

  test.each([
    // One character of base64 holds six bits of the secret's 48 or 72 bits. Up to eight bits are shown at the ends anyway.
    ["hunter2xy", 0, "a"],
    ["hunter2xy", 1, "h"],
    ["hunter2xy", 2, "o"],
    ["hunter", 0, "a"],
    // 24 characters have 192 bits. A quarter of them are the 40 bits that are shown here, and 8 bits at the ends.
    [makeHexadecimal(24), 0, 6],
    [makeHexadecimal(40), 1, 7],
    ["aaaaaa😀😀😀😀😀😀", 0, "YW"],
    // A value of this length is masked in parts.
    [makeHexadecimal(2000), 2, 7],
  ])("of a secret in base64 at most a quarter of the bits: of %s at offset %i they show %j", (value, offset, shown) => {
    const encoded = encodeBase64(`${"x".repeat(offset)}${value}`).replaceAll("=", "");
    const before = encoded.slice(0, Math.ceil((8 * offset) / 6));
    const form = encoded.slice(before.length, Math.floor((8 * (offset + Buffer.byteLength(value))) / 6));
    const first = typeof shown === "string" ? shown : form.slice(0, shown);
    expect(writeWithSilences(masking(secrets(value)), encoded)).toBe(
      `${before}${first}***${encoded.slice(before.length + form.length)}`,
    );
  });

  test.each([64, 76])(
    "seven characters of a secret in base64 with lines of %i columns, and not of each line",
    (width) => {
      for (const end of ["\n", "\r\n"]) {
        const output = breakLines(encodeBase64(makeHexadecimal(1500)), width, end);
        expect(writeWithSilences(masking(secrets(makeHexadecimal(1500))), output)).toBe(`${output.slice(0, 7)}***`);
      }
    },
  );

  test.each([
    ["as it is", PEM],
    ["with line ends of terminals", PEM.replaceAll("\n", "\r\n")],
    ["in JSON", JSON.stringify(PEM).slice(1, -1)],
    ["in JSON in JSON", JSON.stringify(JSON.stringify(PEM)).slice(3, -3)],
    ["in a URL", encodeURIComponent(PEM)],
  ])("seven characters of a long key %s", (__, output) => {
    expect(writeWithSilences(masking(secrets(PEM)), `x ${output} y`)).toBe("x -----BE*** y");
  });

  test("as little as the strictest limit allows, if several secrets may have begun", () => {
    const masker = masking(secrets("hunter2xy", "hunter-and-a-long-end", "ter-of-many-characters-in-a-row")).stream();
    const reveals = (text: string): boolean => {
      masker.flush();
      masker.push(Buffer.from(text));
      return masker.revealsLittle;
    };
    expect(["hu", " hun", " hunter", " hunter-", " ter", "-of-m"].map(reveals)).toEqual([
      true,
      false,
      false,
      false,
      true,
      false,
    ]);
  });

  test.each([
    "Password: ",
    "$ ",
    "> ",
    "# ",
    "Continue? [Y/n] ",
    "C:\\>",
    "100%",
    "a & ",
    "it's",
    '{"id":1,"result":{"a":1}}',
  ])("the prompt %j completely", (prompt) => {
    const promptSecrets = secrets(
      "hunter2xy",
      "]0x9f8e7d",
      `pass'word"with\\every<kind>&of $pecial/char+%é€😀`,
      "}}-a-key-of-a-service",
      "\u0001\u0002$\\%&'",
    );
    const masker = masking(promptSecrets).stream();
    const out = Buffer.from(masker.push(Buffer.from(prompt))).toString();
    expect(out + (masker.revealsLittle ? Buffer.from(masker.flush()).toString() : "")).toBe(prompt);
  });

  test("no more of a secret if another masker continues the stream", () => {
    const keyMasking = masking(secrets("hunter2xy"));
    let masker = keyMasking.stream();
    let out = "";
    for (const character of "hunter2xy") {
      out += Buffer.from(masker.push(Buffer.from(character))).toString();
      if (masker.revealsLittle) out += Buffer.from(masker.flush()).toString();
      const { keptBytes, ...rest } = masker.state();
      masker = keyMasking.stream({ ...rest, keptBytes: Buffer.from(keptBytes) });
    }
    expect(out).toBe("hu***");
  });
});
