/** Patterns of contracts as regular expressions of RE2, which Pulumi ESC uses (https://github.com/google/re2/wiki/Syntax). Pure. */
import { type Pattern, parsePattern } from "../pattern/pattern-syntax.ts";

/** The first and the last code point of a range. */
type Range = readonly [number, number];

const LAST_CODE_POINT = 0x10_ff_ff;
/** RE2 refuses a repetition of more times, also one that repetitions make within each other. */
export const MAX_REPETITIONS = 1000;
/** RE2 refuses expressions that take more memory than some three million of these do. */
const MOST_CHARACTERS = 1_000_000;

/** Returns the expression that matches the whole of the same values. @returns undefined if RE2 cannot have it */
export function re2Pattern(source: string): string | undefined {
  const pattern = parsePattern(source);
  if (mostRepetitions(pattern) > MAX_REPETITIONS || size(pattern) > MOST_CHARACTERS) return undefined;
  return `^(?:${written(pattern)})$`;
}

/** Returns a text as an expression that matches this text alone. */
export function re2Text(text: string): string {
  return Array.from(text, re2Character).join("");
}

/** Returns the largest product of repetitions within each other. */
function mostRepetitions(pattern: Pattern): number {
  switch (pattern.kind) {
    case "character":
      return 1;
    case "sequence":
    case "alternatives":
      return Math.max(1, ...pattern.parts.map(mostRepetitions));
    case "repetition": {
      const { minCount, maxCount, part } = pattern;
      return Math.max(1, maxCount === Infinity ? minCount : maxCount) * mostRepetitions(part);
    }
  }
}

/** Returns the number of characters of the expression without repetitions. */
function size(pattern: Pattern): number {
  switch (pattern.kind) {
    case "character":
      return 1;
    case "sequence":
    case "alternatives":
      return pattern.parts.reduce((sum, part) => sum + size(part), 0);
    case "repetition": {
      const { minCount, maxCount, part } = pattern;
      return Math.max(1, maxCount === Infinity ? minCount + 1 : maxCount) * size(part);
    }
  }
}

function written(pattern: Pattern): string {
  switch (pattern.kind) {
    case "character":
      return re2Set(pattern.set.source);
    case "sequence":
      return pattern.parts
        .map((part) => (part.kind === "alternatives" ? `(?:${written(part)})` : written(part)))
        .join("");
    case "alternatives":
      return pattern.parts.map(written).join("|");
    case "repetition": {
      const { minCount, maxCount, part } = pattern;
      const text = part.kind === "character" ? written(part) : `(?:${written(part)})`;
      return text + limits(minCount, maxCount);
    }
  }
}

function limits(minCount: number, maxCount: number): string {
  if (maxCount === Infinity) return minCount === 0 ? "*" : minCount === 1 ? "+" : `{${minCount},}`;
  if (minCount === 0 && maxCount === 1) return "?";
  return minCount === maxCount ? `{${minCount}}` : `{${minCount},${maxCount}}`;
}

/**
 * Returns the expression of one character of a set.
 * @param source a character, an escape, or a class, as JavaScript reads it with the flag `u`
 */
export function re2Set(source: string): string {
  if (source === ".") return re2Class(complement(LINE_ENDS));
  if (source.startsWith("[")) return re2Class(classRanges(source));
  const { ranges } = readItem(source, 0);
  const [only] = ranges;
  const isCharacter = ranges.length === 1 && only?.[0] === only?.[1];
  return isCharacter && only !== undefined ? re2Character(String.fromCodePoint(only[0])) : re2Class(ranges);
}

function re2Character(character: string): string {
  if (/^[\w !"#%&',/:;<=>@`~-]$/.test(character)) return character;
  if (/^[\\.*+?()[\]{}|^$]$/.test(character)) return `\\${character}`;
  return escaped(character.codePointAt(0) ?? 0);
}

/** Returns a code point by its number: `\x{1F600}`. */
function escaped(code: number): string {
  return `\\x{${code.toString(16).toUpperCase()}}`;
}

function re2Class(ranges: readonly Range[]): string {
  if (ranges.length === 0) return String.raw`[^\x{0}-\x{10FFFF}]`;
  const others = complement(ranges);
  // The shorter form.
  const isNegated = others.length > 0 && others.length < ranges.length;
  const items = (isNegated ? others : ranges).map(([first, last]) =>
    first === last ? inClass(first) : `${inClass(first)}-${inClass(last)}`,
  );
  return `[${isNegated ? "^" : ""}${items.join("")}]`;
}

function inClass(code: number): string {
  const character = String.fromCodePoint(code);
  return /^[A-Za-z\d_]$/.test(character) ? character : escaped(code);
}

function classRanges(source: string): readonly Range[] {
  const isNegated = source.startsWith("[^");
  const end = source.length - 1;
  const ranges: Range[] = [];
  let at = isNegated ? 2 : 1;
  while (at < end) {
    const from = readItem(source, at);
    at = from.next;
    // A minus at the end of a class, or beside a set such as `\d`, is itself; JavaScript refuses the latter with the flag `u`.
    const [first, ...others] = from.ranges;
    if (source[at] === "-" && at + 1 < end && first !== undefined && others.length === 0) {
      const to = readItem(source, at + 1);
      ranges.push([first[0], to.ranges[0]?.[1] ?? first[1]]);
      at = to.next;
    } else ranges.push(...from.ranges);
  }
  return isNegated ? complement(ranges) : merge(ranges);
}

interface Item {
  readonly ranges: readonly Range[];
  /** The index behind the item. */
  readonly next: number;
}

/** Reads a character or an escape, which the parser of patterns has accepted. */
function readItem(source: string, at: number): Item {
  const code = source.codePointAt(at) ?? 0;
  if (source[at] !== "\\") return single(code, at + (code > 0xff_ff ? 2 : 1));
  const letter = source[at + 1] ?? "";
  const set = SETS[letter];
  if (set !== undefined) return { ranges: set, next: at + 2 };
  const control = CONTROLS[letter];
  if (control !== undefined) return single(control, at + 2);
  if (letter !== "x" && letter !== "u") return single(letter.codePointAt(0) ?? 0, at + 2);
  const digits = /^(?:x([\da-f]{2})|u([\da-f]{4})|u\{([\da-f]+)\})/i.exec(source.slice(at + 1));
  const [text = "", two, four, any] = digits ?? [];
  return single(Number.parseInt(two ?? four ?? any ?? "0", 16), at + 1 + text.length);
}

function single(code: number, next: number): Item {
  return { ranges: [[code, code]], next };
}

function merge(ranges: readonly Range[]): readonly Range[] {
  const merged: [number, number][] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

function complement(ranges: readonly Range[]): readonly Range[] {
  const others: Range[] = [];
  let next = 0;
  for (const [first, last] of merge(ranges)) {
    if (first > next) others.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= LAST_CODE_POINT) others.push([next, LAST_CODE_POINT]);
  return others;
}

const LINE_ENDS: readonly Range[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x20_28, 0x20_29],
];
const DIGITS: readonly Range[] = [[0x30, 0x39]];
const WORDS: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** WhiteSpace and LineTerminator of ECMA-262. RE2's `\s` has those of ASCII alone. */
const SPACES: readonly Range[] = [
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
const SETS: Readonly<Partial<Record<string, readonly Range[]>>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORDS,
  W: complement(WORDS),
  s: SPACES,
  S: complement(SPACES),
};
const CONTROLS: Readonly<Partial<Record<string, number>>> = { n: 0x0a, r: 0x0d, t: 0x09, f: 0x0c, v: 0x0b };
