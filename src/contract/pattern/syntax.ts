/**
 * The pattern language of contracts: the part of JavaScript's regular expressions (flag `u`) that a finite
 * automaton can match, so that no pattern and no value can make a start hang. Characters, `.`, escapes, classes,
 * groups, alternatives and repetitions; no look-around, no back-references, no word boundaries. A pattern always
 * matches the whole value; `^` at its beginning and `$` at its end may stand there and mean nothing.
 */

/** What a pattern is made of. Characters are Unicode code points. */
export type Pattern =
  | { readonly kind: "characters"; readonly set: CharacterSet }
  | { readonly kind: "sequence"; readonly parts: readonly Pattern[] }
  | { readonly kind: "alternatives"; readonly parts: readonly Pattern[] }
  | {
      readonly kind: "repetition";
      readonly part: Pattern;
      readonly least: number;
      /** Infinity where there is no limit. */
      readonly most: number;
    };

/** Inclusive ranges of code points; `negated` stands for all others. */
export interface CharacterSet {
  readonly ranges: readonly (readonly [number, number])[];
  readonly negated: boolean;
}

/** Why a text is no pattern of this language, in words that continue "the pattern …". */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

const deepest = 50;
const mostRepetitions = 1000;

/**
 * Reads a pattern.
 *
 * @throws PatternError where the text is not in the language
 */
export function parsePattern(text: string): Pattern {
  const characters = Array.from(text);
  const reader = { characters, at: 0 };
  const pattern = alternatives(reader, 0);
  if (reader.at < characters.length) throw new PatternError("has a ) without a (");
  return pattern;
}

interface Reader {
  readonly characters: readonly string[];
  at: number;
}

function peek(reader: Reader): string | undefined {
  return reader.characters[reader.at];
}

function accept(reader: Reader, text: string): boolean {
  const expected = Array.from(text);
  if (expected.some((character, index) => reader.characters[reader.at + index] !== character)) return false;
  reader.at += expected.length;
  return true;
}

function alternatives(reader: Reader, depth: number): Pattern {
  if (depth > deepest) throw new PatternError("nests its groups too deeply");
  const parts = [sequence(reader, depth)];
  while (accept(reader, "|")) parts.push(sequence(reader, depth));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: "alternatives", parts };
}

function sequence(reader: Reader, depth: number): Pattern {
  const parts: Pattern[] = [];
  if (depth === 0) accept(reader, "^");
  for (;;) {
    const next = peek(reader);
    if (next === undefined || next === "|" || next === ")") return { kind: "sequence", parts };
    if (next === "$" && depth === 0) {
      const after = reader.characters[reader.at + 1];
      if (after !== undefined && after !== "|") throw new PatternError("has a $ that is not at its end");
      reader.at += 1;
      continue;
    }
    parts.push(repetition(reader, atom(reader, depth)));
  }
}

function repetition(reader: Reader, part: Pattern): Pattern {
  const limits = repetitionLimits(reader);
  if (limits === undefined) return part;
  const { least, most } = limits;
  if (least > mostRepetitions || (most !== Infinity && most > mostRepetitions)) {
    throw new PatternError(`repeats something more than ${mostRepetitions} times`);
  }
  if (least > most) throw new PatternError("has a repetition whose numbers are out of order");
  // A lazy repetition matches the same texts.
  accept(reader, "?");
  if (repetitionLimits(reader) !== undefined) throw new PatternError("repeats a repetition: put it into a group");
  return { kind: "repetition", part, least, most };
}

function repetitionLimits(reader: Reader): { least: number; most: number } | undefined {
  if (accept(reader, "*")) return { least: 0, most: Infinity };
  if (accept(reader, "+")) return { least: 1, most: Infinity };
  if (accept(reader, "?")) return { least: 0, most: 1 };
  if (peek(reader) !== "{") return undefined;
  const braces = /^\{(\d{1,6})(,?)(\d{0,6})\}/.exec(reader.characters.slice(reader.at, reader.at + 16).join(""));
  if (braces === null) throw new PatternError("has a { that begins no repetition: write \\{");
  reader.at += braces[0].length;
  const least = Number(braces[1]);
  const most = braces[2] === "" ? least : braces[3] === "" ? Infinity : Number(braces[3]);
  return { least, most };
}

function atom(reader: Reader, depth: number): Pattern {
  if (accept(reader, "(")) {
    if (accept(reader, "?") && !accept(reader, ":")) {
      throw new PatternError("has a group that begins with (?: only (?:…) and (…) are allowed");
    }
    const inner = alternatives(reader, depth + 1);
    if (!accept(reader, ")")) throw new PatternError("has a ( without a )");
    return inner;
  }
  if (accept(reader, "[")) return { kind: "characters", set: characterClass(reader) };
  if (accept(reader, "\\")) return { kind: "characters", set: escape(reader) };
  // ECMA-262: `.` is any character but the line terminators.
  if (accept(reader, ".")) return { kind: "characters", set: { ranges: lineTerminators, negated: true } };
  const character = reader.characters[reader.at] ?? "";
  if (/[*+?{}\]^$]/.test(character)) throw new PatternError(`has a ${character} out of place: write \\${character}`);
  reader.at += 1;
  return { kind: "characters", set: single(character) };
}

function single(character: string): CharacterSet {
  const code = character.codePointAt(0) ?? 0;
  return { ranges: [[code, code]], negated: false };
}

function characterClass(reader: Reader): CharacterSet {
  const negated = accept(reader, "^");
  const ranges: (readonly [number, number])[] = [];
  while (!accept(reader, "]")) {
    const from = classMember(reader);
    const [first] = from.ranges;
    if (peek(reader) === "-" && reader.characters[reader.at + 1] !== "]") {
      reader.at += 1;
      const to = classMember(reader).ranges;
      const [last] = to;
      if (first === undefined || last === undefined || !isSingle(from.ranges) || !isSingle(to)) {
        throw new PatternError("has a range in [] that does not lie between two characters");
      }
      if (first[0] > last[0]) throw new PatternError("has a range in [] that is out of order");
      ranges.push([first[0], last[0]]);
    } else if (from.negated) {
      throw new PatternError("has \\D, \\W or \\S in []: use it outside, or the opposite with [^…]");
    } else {
      ranges.push(...from.ranges);
    }
  }
  return { ranges, negated };
}

function isSingle(ranges: CharacterSet["ranges"]): boolean {
  return ranges.length === 1 && ranges[0]?.[0] === ranges[0]?.[1];
}

function classMember(reader: Reader): CharacterSet {
  const character = peek(reader);
  if (character === undefined) throw new PatternError("has a [ without a ]");
  reader.at += 1;
  if (character !== "\\") return single(character);
  if (accept(reader, "-")) return single("-");
  return escape(reader);
}

const lineTerminators: CharacterSet["ranges"] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x20_28, 0x20_29],
];
const digits: CharacterSet["ranges"] = [[0x30, 0x39]];
const wordCharacters: CharacterSet["ranges"] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** ECMA-262: white space and line terminators. */
const spaces: CharacterSet["ranges"] = [
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
const shorthands: ReadonlyMap<string, CharacterSet> = new Map([
  ["d", { ranges: digits, negated: false }],
  ["D", { ranges: digits, negated: true }],
  ["w", { ranges: wordCharacters, negated: false }],
  ["W", { ranges: wordCharacters, negated: true }],
  ["s", { ranges: spaces, negated: false }],
  ["S", { ranges: spaces, negated: true }],
  ["n", single("\n")],
  ["r", single("\r")],
  ["t", single("\t")],
  ["f", single("\f")],
  ["v", single("\v")],
]);

function escape(reader: Reader): CharacterSet {
  const character = peek(reader);
  if (character === undefined) throw new PatternError("ends with a \\");
  reader.at += 1;
  const shorthand = shorthands.get(character);
  if (shorthand !== undefined) return shorthand;
  if (character === "x" || character === "u") {
    const rest = reader.characters.slice(reader.at, reader.at + 8).join("");
    const hex = (character === "x" ? /^([\da-f]{2})/i : /^(?:([\da-f]{4})|\{([\da-f]{1,6})\})/i).exec(rest);
    const code = Number.parseInt(hex?.[1] ?? hex?.[2] ?? "", 16);
    if (hex === null || code > 0x10_ff_ff)
      throw new PatternError(`has a \\${character} without its hexadecimal digits`);
    reader.at += hex[0].length;
    return { ranges: [[code, code]], negated: false };
  }
  if (/[\^$\\.*+?()[\]{}|/]/.test(character)) return single(character);
  throw new PatternError(`has \\${character}, which is not allowed here`);
}
