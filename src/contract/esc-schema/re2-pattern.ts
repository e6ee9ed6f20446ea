/**
 * Translates patterns of contracts into the syntax of RE2 (https://github.com/google/re2/wiki/Syntax), which Pulumi ESC
 * uses in its schemas. Patterns of contracts have the syntax of JavaScript's regular expressions with the flag `u`.
 *
 * Operators such as `|` and `*` are the same in both. Classes and escapes become ranges of code points, because `\s`,
 * `.` and others match different characters in RE2.
 *
 *     \d[^a]\u{1F600}?      becomes      ^(?:[0-9][^a]\x{1F600}?)$
 */
import { type Pattern, parsePattern } from "../pattern/pattern-syntax.ts";

/** A range of code points: the first and the last one. */
type CodePointRange = readonly [number, number];

const LAST_CODE_POINT = 0x10_ff_ff;
/** The limit of RE2 for the count of a repetition, and for the product of the counts of nested repetitions. */
export const MAX_REPETITIONS = 1000;
/**
 * The limit of the expression's size, with each repetition written out. RE2 limits the memory of an expression, which
 * is enough for some three million characters.
 */
const MAX_EXPANDED_CHARACTERS = 1_000_000;

/** Returns the expression of RE2 that matches the same whole values; undefined if it is beyond the limits of RE2. */
export function writeRe2Pattern(source: string): string | undefined {
  const pattern = parsePattern(source);
  if (countNestedRepetitions(pattern) > MAX_REPETITIONS || countExpandedCharacters(pattern) > MAX_EXPANDED_CHARACTERS)
    return undefined;
  return `^(?:${writePattern(pattern)})$`;
}

/** Returns the expression that matches only this text. */
export function writeRe2Text(text: string): string {
  return Array.from(text, writeCharacter).join("");
}

/** Returns the largest product of the counts of nested repetitions: 6 for `(?:a{2}){3}`. */
function countNestedRepetitions(pattern: Pattern): number {
  switch (pattern.kind) {
    case "character":
      return 1;
    case "sequence":
    case "alternatives":
      return Math.max(1, ...pattern.parts.map(countNestedRepetitions));
    case "repetition": {
      const { minCount, maxCount, part } = pattern;
      return Math.max(1, maxCount === Infinity ? minCount : maxCount) * countNestedRepetitions(part);
    }
  }
}

/** Returns the number of characters with each repetition written out, as RE2 compiles it: 6 for `(?:ab){3}`. */
function countExpandedCharacters(pattern: Pattern): number {
  switch (pattern.kind) {
    case "character":
      return 1;
    case "sequence":
    case "alternatives":
      return pattern.parts.reduce((sum, part) => sum + countExpandedCharacters(part), 0);
    case "repetition": {
      const { minCount, maxCount, part } = pattern;
      return Math.max(1, maxCount === Infinity ? minCount + 1 : maxCount) * countExpandedCharacters(part);
    }
  }
}

function writePattern(pattern: Pattern): string {
  switch (pattern.kind) {
    case "character":
      return writeRe2Set(pattern.characterSet.source);
    case "sequence":
      return pattern.parts
        .map((part) => (part.kind === "alternatives" ? `(?:${writePattern(part)})` : writePattern(part)))
        .join("");
    case "alternatives":
      return pattern.parts.map(writePattern).join("|");
    case "repetition": {
      const { minCount, maxCount, part } = pattern;
      const text = part.kind === "character" ? writePattern(part) : `(?:${writePattern(part)})`;
      return text + writeQuantifier(minCount, maxCount);
    }
  }
}

function writeQuantifier(minCount: number, maxCount: number): string {
  if (minCount === 0 && maxCount === Infinity) return "*";
  if (minCount === 1 && maxCount === Infinity) return "+";
  if (maxCount === Infinity) return `{${minCount},}`;
  if (minCount === 0 && maxCount === 1) return "?";
  return minCount === maxCount ? `{${minCount}}` : `{${minCount},${maxCount}}`;
}

/**
 * Returns the expression that matches one character of a set.
 *
 * @param source a character, an escape, or a class, in the syntax of JavaScript
 */
export function writeRe2Set(source: string): string {
  if (source === ".") return writeClass(complementRanges(LINE_ENDS));
  if (source.startsWith("[")) return writeClass(parseClass(source));
  const { ranges } = parseItem(source, 0);
  const [first] = ranges;
  const isCharacter = ranges.length === 1 && first?.[0] === first?.[1];
  return isCharacter && first !== undefined ? writeCharacter(String.fromCodePoint(first[0])) : writeClass(ranges);
}

/** Returns the expression that matches one character. ASCII stays readable. */
function writeCharacter(character: string): string {
  if (/^[\w !"#%&',/:;<=>@`~-]$/.test(character)) return character;
  if (/^[\\.*+?()[\]{}|^$]$/.test(character)) return `\\${character}`;
  return writeCodePoint(character.codePointAt(0) ?? 0);
}

/** Returns a code point as an escape: `\x{1F600}`. */
function writeCodePoint(code: number): string {
  return `\\x{${code.toString(16).toUpperCase()}}`;
}

/** Returns the class that matches the characters of the ranges: `[A-Z_]`. */
function writeClass(ranges: readonly CodePointRange[]): string {
  // RE2 has no empty class.
  if (ranges.length === 0) return String.raw`[^\x{0}-\x{10FFFF}]`;
  const otherRanges = complementRanges(ranges);
  // A class such as [^a] is shorter than the ranges of all other characters.
  const isNegated = otherRanges.length > 0 && otherRanges.length < ranges.length;
  const items = (isNegated ? otherRanges : ranges).map(([first, last]) =>
    first === last ? writeClassCharacter(first) : `${writeClassCharacter(first)}-${writeClassCharacter(last)}`,
  );
  return `[${isNegated ? "^" : ""}${items.join("")}]`;
}

function writeClassCharacter(code: number): string {
  const character = String.fromCodePoint(code);
  return /^[A-Za-z\d_]$/.test(character) ? character : writeCodePoint(code);
}

/** Parses a class such as `[^a-z\d]`, which the parser of patterns has accepted. */
function parseClass(source: string): readonly CodePointRange[] {
  const isNegated = source.startsWith("[^");
  const end = source.length - 1;
  const ranges: CodePointRange[] = [];
  let index = isNegated ? 2 : 1;
  while (index < end) {
    const item = parseItem(source, index);
    index = item.nextIndex;
    const [first, ...furtherRanges] = item.ranges;
    // A minus at the end of a class is a character. Beside a set such as `\d`, JavaScript refuses it with the flag `u`.
    const isRange = source[index] === "-" && index + 1 < end && furtherRanges.length === 0;
    if (isRange && first !== undefined) {
      const lastItem = parseItem(source, index + 1);
      ranges.push([first[0], lastItem.ranges[0]?.[1] ?? first[1]]);
      index = lastItem.nextIndex;
    } else ranges.push(...item.ranges);
  }
  return isNegated ? complementRanges(ranges) : mergeRanges(ranges);
}

/** A character, or an escape, of the source. */
interface ClassItem {
  /** The characters that the item matches. */
  readonly ranges: readonly CodePointRange[];
  /** The index in the source after the item. */
  readonly nextIndex: number;
}

/** Parses a character or an escape at an index: `a`, `\d`, `\n`, `\x41`, `\u0041` or `\u{41}`. */
function parseItem(source: string, index: number): ClassItem {
  const code = source.codePointAt(index) ?? 0;
  if (source[index] !== "\\") return createCharacterItem(code, index + String.fromCodePoint(code).length);
  const afterBackslash = index + 1;
  const letter = source[afterBackslash] ?? "";
  const afterLetter = afterBackslash + 1;
  const set = SET_ESCAPES[letter];
  if (set !== undefined) return { ranges: set, nextIndex: afterLetter };
  const control = CONTROL_ESCAPES[letter];
  if (control !== undefined) return createCharacterItem(control, afterLetter);
  // Any other letter but x and u stands for itself, such as the dot in `\.`.
  if (letter !== "x" && letter !== "u") return createCharacterItem(letter.codePointAt(0) ?? 0, afterLetter);
  const numberEscape = /^(?:x([\da-f]{2})|u([\da-f]{4})|u\{([\da-f]+)\})/i.exec(source.slice(afterBackslash));
  const [text = "", twoDigits, fourDigits, bracedDigits] = numberEscape ?? [];
  const digits = twoDigits ?? fourDigits ?? bracedDigits ?? "0";
  return createCharacterItem(Number.parseInt(digits, 16), afterBackslash + text.length);
}

function createCharacterItem(code: number, nextIndex: number): ClassItem {
  return { ranges: [[code, code]], nextIndex };
}

/** Returns the ranges in ascending order, without overlaps. */
function mergeRanges(ranges: readonly CodePointRange[]): readonly CodePointRange[] {
  const merged: [number, number][] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** Returns the ranges of all code points that are not in these ranges. */
function complementRanges(ranges: readonly CodePointRange[]): readonly CodePointRange[] {
  const gaps: CodePointRange[] = [];
  let nextCode = 0;
  for (const [first, last] of mergeRanges(ranges)) {
    if (first > nextCode) gaps.push([nextCode, first - 1]);
    nextCode = last + 1;
  }
  if (nextCode <= LAST_CODE_POINT) gaps.push([nextCode, LAST_CODE_POINT]);
  return gaps;
}

/** The characters that `.` does not match: LF, CR, and the two separators of Unicode. */
const LINE_ENDS: readonly CodePointRange[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x20_28, 0x20_29],
];
const DIGITS: readonly CodePointRange[] = [[0x30, 0x39]];
/** The characters of `\w`: digits, upper case, the underscore, lower case. */
const WORD_CHARACTERS: readonly CodePointRange[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** The characters of `\s`: WhiteSpace and LineTerminator of ECMA-262. In RE2, `\s` matches only spaces of ASCII. */
const SPACES: readonly CodePointRange[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x16_80, 0x16_80],
  [0x20_00, 0x20_0a],
  [0x20_28, 0x20_29],
  [0x20_2f, 0x20_2f],
  [0x20_5f, 0x20_5f],
  [0x30_00, 0x30_00],
  [0xfe_ff, 0xfe_ff],
];
/** The escapes for sets, by their letters. */
const SET_ESCAPES: Readonly<Partial<Record<string, readonly CodePointRange[]>>> = {
  d: DIGITS,
  D: complementRanges(DIGITS),
  w: WORD_CHARACTERS,
  W: complementRanges(WORD_CHARACTERS),
  s: SPACES,
  S: complementRanges(SPACES),
};
/** The escapes for control characters, by their letters. */
const CONTROL_ESCAPES: Readonly<Partial<Record<string, number>>> = { n: 0x0a, r: 0x0d, t: 0x09, f: 0x0c, v: 0x0b };
