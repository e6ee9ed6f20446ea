/**
 * Decodes escapes that begin with a backslash: in strings of JSON (RFC 8259, 7), JavaScript, Python and Go; and in
 * words of shells without quotes, in double quotes, and in `$'…'` (POSIX 2024, XCU 2.2).
 *
 * One decoder is enough for all of these, because an escape that several of them have nearly always means the same:
 *
 *     \n \t \" \\ \/     JSON, and most others       \e \a \$ \'      only shells
 *     \u00e9 \ud83d\ude00                            \x41 \101        a byte (shells, Go) or a character (Python, JavaScript)
 *     \u{1f600}          JavaScript                  \U0001f600       Python, Go, shells
 *     \udcff             a byte that is not UTF-8, as Python writes it
 */
import { hexDigit, literalUnit, PENDING, utf8, type Decoder, type Peek, type Unit } from "./decoder.ts";

const DOLLAR = 0x24;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
/**
 * In bytes. The longest `$'…'` that is decoded. zsh writes these for a few control characters in the middle of a word.
 */
const MAX_ANSI_LENGTH = 64;

/** The byte for which an escape stands, by the letter after the backslash. */
const JSON_LETTERS: ReadonlyMap<string, number> = new Map(Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13 }));
const SHELL_LETTERS: ReadonlyMap<string, number> = new Map(Object.entries({ a: 7, v: 11, e: 27, E: 27 }));
/** The characters that JSON escapes by a backslash alone. */
const JSON_ESCAPED = new Set(['"', "/", "\\"]);
const LETTER_OR_DIGIT = /^[A-Za-z0-9]$/;

/** The result for a text that no encoder writes. */
const NO_READING: readonly Unit[] = [];

export const backslash: Decoder = {
  starts: [BACKSLASH, DOLLAR],
  decode: (peek) => (peek(0) === DOLLAR ? decodeAnsiQuotes(peek) : decodeEscape(peek)),
};

/** Decodes a backslash and what follows. */
function decodeEscape(peek: Peek): readonly Unit[] | undefined {
  const next = peek(1);
  if (next === PENDING) return undefined;
  const letter = String.fromCharCode(next);
  const jsonByte = JSON_LETTERS.get(letter);
  if (jsonByte !== undefined) return [{ length: 2, bytes: [jsonByte] }];
  const shellByte = SHELL_LETTERS.get(letter);
  if (shellByte !== undefined) return [{ length: 2, bytes: [shellByte], isShell: true }];
  if (letter === "u") return peek(2) === OPENING_BRACE ? decodeBraces(peek) : decodeUtf16(peek);
  if (letter === "U") return characterUnits(readDigits(peek, 2, 8, 8, 16), 2);
  if (letter === "x") return decodeHexadecimal(peek);
  if (letter >= "0" && letter <= "7") return decodeOctal(peek);
  // No encoder writes a backslash in front of another letter or digit. Shells may escape any other character.
  if (LETTER_OR_DIGIT.test(letter)) return NO_READING;
  return [JSON_ESCAPED.has(letter) ? { length: 2, bytes: [next] } : { length: 2, bytes: [next], isShell: true }];
}

interface Digits {
  /** -1 if there are too few digits. */
  readonly value: number;
  /** The number of digits. */
  readonly count: number;
}

/**
 * Reads a number of at least `minCount` and at most `maxCount` digits.
 *
 * @returns undefined if it may have more digits, which have not arrived yet
 */
function readDigits(
  peek: Peek,
  startIndex: number,
  minCount: number,
  maxCount: number,
  base: 8 | 16,
): Digits | undefined {
  let value = 0;
  let count = 0;
  for (; count < maxCount; count++) {
    const byte = peek(startIndex + count);
    if (byte === PENDING) return undefined;
    const digit = hexDigit(byte);
    if (digit === -1 || digit >= base) break;
    value = value * base + digit;
  }
  return { value: count < minCount ? -1 : value, count };
}

/** Decodes `\u00e9`, a surrogate pair `\ud83d\ude00`, and Python's `\udcff`. */
function decodeUtf16(peek: Peek): readonly Unit[] | undefined {
  const digits = readDigits(peek, 2, 4, 4, 16);
  if (digits === undefined) return undefined;
  const code = digits.value;
  if (code === -1) return NO_READING;
  if (code < 0xd800 || code > 0xdfff) return [{ length: 6, bytes: utf8(code) ?? [] }];
  // Python writes a byte that is not UTF-8 as a low surrogate.
  if (code >= 0xdc80 && code <= 0xdcff) return [{ length: 6, bytes: [code & 0xff] }];
  return decodeLowSurrogate(peek, code);
}

/** Decodes the second half of a surrogate pair, and returns the whole pair. */
function decodeLowSurrogate(peek: Peek, high: number): readonly Unit[] | undefined {
  for (const [index, byte] of [BACKSLASH, LETTER_U].entries()) {
    const next = peek(6 + index);
    if (next === PENDING) return undefined;
    if (next !== byte) return NO_READING;
  }
  const digits = readDigits(peek, 8, 4, 4, 16);
  if (digits === undefined) return undefined;
  const low = digits.value;
  if (low < 0xdc00 || low > 0xdfff) return NO_READING;
  const bytes = utf8(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
  return bytes === undefined ? NO_READING : [{ length: 12, bytes }];
}

/**
 * Returns the reading of an escape with the digits of a code point.
 *
 * @param otherLength the length of the escape without them
 */
function characterUnits(digits: Digits | undefined, otherLength: number): readonly Unit[] | undefined {
  if (digits === undefined) return undefined;
  const bytes = digits.value === -1 ? undefined : utf8(digits.value);
  return bytes === undefined ? NO_READING : [{ length: otherLength + digits.count, bytes, isShell: true }];
}

/** Decodes `\u{1f600}`. */
function decodeBraces(peek: Peek): readonly Unit[] | undefined {
  const digits = readDigits(peek, 3, 1, 6, 16);
  if (digits === undefined) return undefined;
  const end = peek(3 + digits.count);
  if (end === PENDING) return undefined;
  return end === CLOSING_BRACE ? characterUnits(digits, 4) : NO_READING;
}

/** Decodes `\x41`: a byte in shells and Go, a character in Python and JavaScript. */
function decodeHexadecimal(peek: Peek): readonly Unit[] | undefined {
  const digits = readDigits(peek, 2, 1, 2, 16);
  if (digits === undefined) return undefined;
  if (digits.value === -1) return NO_READING;
  const length = 2 + digits.count;
  const asByte: Unit = { length, bytes: [digits.value], isShell: true };
  // Byte and character are the same in ASCII.
  return digits.value < 0x80 ? [asByte] : [asByte, { length, bytes: utf8(digits.value) ?? [], isShell: true }];
}

/** Decodes `\101`. */
function decodeOctal(peek: Peek): readonly Unit[] | undefined {
  const digits = readDigits(peek, 1, 1, 3, 8);
  return digits && [{ length: 1 + digits.count, bytes: [digits.value & 0xff], isShell: true }];
}

/** Decodes `$'\e'` in the middle of a word, in which zsh writes control characters. It contains only escapes. */
function decodeAnsiQuotes(peek: Peek): readonly Unit[] | undefined {
  const literal = literalUnit(DOLLAR);
  for (const [index, byte] of [SINGLE_QUOTE, BACKSLASH].entries()) {
    const next = peek(1 + index);
    if (next === PENDING) return undefined;
    if (next !== byte) return [literal];
  }
  const bytes: number[] = [];
  for (let index = 2; index < MAX_ANSI_LENGTH;) {
    const byte = peek(index);
    if (byte === PENDING) return undefined;
    if (byte === SINGLE_QUOTE) return [{ length: index + 1, bytes, isShell: true }, literal];
    if (byte !== BACKSLASH) break;
    const escapeStart = index;
    const units = decodeEscape((offset) => peek(escapeStart + offset));
    if (units === undefined) return undefined;
    const [unit] = units;
    if (unit === undefined) break;
    bytes.push(...unit.bytes);
    index += unit.length;
  }
  return [literal];
}
