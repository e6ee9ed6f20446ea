/**
 * Escapes with a backslash: strings of JSON (RFC 8259, 7), JavaScript, Python and Go; words of shells without quotes, in
 * double quotes and in `$'…'` (POSIX 2024, XCU 2.2). One decoder for all, since they agree where they overlap. Pure.
 */
import { hexDigit, MORE, utf8, type Decoder, type Peek, type Unit } from "./decoder.ts";

const DOLLAR = 0x24;
const SINGLE = 0x27;
const BACKSLASH = 0x5c;
const LONGEST_ANSI = 64;

const JSON_LETTERS: ReadonlyMap<string, number> = new Map(Object.entries({ b: 8, t: 9, n: 10, f: 12, r: 13 }));
const SHELL_LETTERS: ReadonlyMap<string, number> = new Map(Object.entries({ a: 7, v: 11, e: 27, E: 27 }));
const JSON_ESCAPED = new Set(['"', "/", "\\"]);
const WORD = /^[A-Za-z0-9]$/;

const BRACE = { open: 0x7b, close: 0x7d };

export const backslash: Decoder = {
  starts: [BACKSLASH, DOLLAR],
  decode: (peek) => (peek(0) === DOLLAR ? ansiQuoted(peek) : escape(peek)),
};

function escape(peek: Peek): readonly Unit[] | undefined {
  const next = peek(1);
  if (next === MORE) return undefined;
  const letter = String.fromCharCode(next);
  const code = JSON_LETTERS.get(letter);
  if (code !== undefined) return [{ length: 2, bytes: [code] }];
  const shellCode = SHELL_LETTERS.get(letter);
  if (shellCode !== undefined) return [{ length: 2, bytes: [shellCode], isShell: true }];
  if (letter === "u") return peek(2) === BRACE.open ? braced(peek) : utf16(peek);
  if (letter === "U") return character(digits(peek, 2, 8, 8, 16), 2);
  if (letter === "x") return hexadecimal(peek);
  if (letter >= "0" && letter <= "7") return octal(peek);
  if (WORD.test(letter)) return [];
  return [JSON_ESCAPED.has(letter) ? { length: 2, bytes: [next] } : { length: 2, bytes: [next], isShell: true }];
}

/** Reads a number. @returns undefined if the next byte decides, -1 if there are fewer digits than `least` */
function digits(peek: Peek, from: number, least: number, most: number, base: 8 | 16) {
  let value = 0;
  let count = 0;
  for (; count < most; count++) {
    const byte = peek(from + count);
    if (byte === MORE) return undefined;
    const digit = hexDigit(byte);
    if (digit === -1 || digit >= base) break;
    value = value * base + digit;
  }
  return { value: count < least ? -1 : value, count };
}

function utf16(peek: Peek): readonly Unit[] | undefined {
  const high = digits(peek, 2, 4, 4, 16);
  if (high === undefined || high.value === -1) return high && [];
  if (high.value < 0xd800 || high.value > 0xdfff) return [{ length: 6, bytes: utf8(high.value) ?? [] }];
  // Python's name for a byte that is not UTF-8.
  if (high.value >= 0xdc80 && high.value <= 0xdcff) return [{ length: 6, bytes: [high.value & 0xff] }];
  for (const [index, byte] of [BACKSLASH, 0x75].entries()) {
    const next = peek(6 + index);
    if (next === MORE) return undefined;
    if (next !== byte) return [];
  }
  const low = digits(peek, 8, 4, 4, 16);
  if (low === undefined) return undefined;
  const code = 0x10000 + ((high.value - 0xd800) << 10) + (low.value - 0xdc00);
  const bytes = low.value >= 0xdc00 && low.value <= 0xdfff ? utf8(code) : undefined;
  return bytes === undefined ? [] : [{ length: 12, bytes }];
}

function character(read: ReturnType<typeof digits>, around: number): readonly Unit[] | undefined {
  const bytes = read === undefined || read.value === -1 ? undefined : utf8(read.value);
  return read && (bytes === undefined ? [] : [{ length: around + read.count, bytes, isShell: true }]);
}

function braced(peek: Peek): readonly Unit[] | undefined {
  const read = digits(peek, 3, 1, 6, 16);
  const end = read && peek(3 + read.count);
  if (end === MORE) return undefined;
  return end === BRACE.close ? character(read, 4) : read && [];
}

/** A byte in shells and Go, a character in Python and JavaScript. */
function hexadecimal(peek: Peek): readonly Unit[] | undefined {
  const read = digits(peek, 2, 1, 2, 16);
  if (read === undefined || read.value === -1) return read && [];
  const length = 2 + read.count;
  const unit: Unit = { length, bytes: [read.value], isShell: true };
  return read.value < 0x80 ? [unit] : [unit, { length, bytes: utf8(read.value) ?? [], isShell: true }];
}

function octal(peek: Peek): readonly Unit[] | undefined {
  const read = digits(peek, 1, 1, 3, 8);
  return read && [{ length: 1 + read.count, bytes: [read.value & 0xff], isShell: true }];
}

/** Reads `$'…'` in the middle of a word, in which zsh writes control characters; it contains only escapes. */
function ansiQuoted(peek: Peek): readonly Unit[] | undefined {
  const literal: Unit = { length: 1, bytes: [DOLLAR] };
  for (const [index, byte] of [SINGLE, BACKSLASH].entries()) {
    const found = peek(1 + index);
    if (found === MORE) return undefined;
    if (found !== byte) return [literal];
  }
  const bytes: number[] = [];
  for (let at = 2; at < LONGEST_ANSI;) {
    const byte = peek(at);
    if (byte === MORE) return undefined;
    if (byte === SINGLE) return [{ length: at + 1, bytes, isShell: true }, literal];
    if (byte !== BACKSLASH) break;
    const from = at;
    const units = escape((index) => peek(from + index));
    if (units === undefined) return undefined;
    const [unit] = units;
    if (unit === undefined) break;
    bytes.push(...unit.bytes);
    at += unit.length;
  }
  return [literal];
}
