/**
 * Parses the patterns of contracts. Their language is that of JavaScript's regular expressions with the flag `u`,
 * without look-around, back-references and word boundaries. A pattern must match the whole value, so that `^` at its
 * beginning and `$` at its end have no effect.
 *
 *     sk-(?:live|test)_[\w-]{20,40}
 *
 * This is a recursive-descent parser, with a function for each rule of the grammar:
 *
 *     alternatives = sequence { "|" sequence }
 *     sequence     = { repetition }
 *     repetition   = atom [ "*" | "+" | "?" | "{n}" | "{n,}" | "{n,m}" ] [ "?" ]
 *     atom         = "(" alternatives ")" | character | escape | "[" class "]" | "."
 */

/** The characters that one place of a pattern may have. */
export interface CharacterSet {
  readonly test: (character: string) => boolean;
  /** The text in the pattern: a character, an escape such as `\d`, or a class such as `[a-z]`. */
  readonly source: string;
}

export type Pattern =
  /** A single character of a set. */
  | { readonly kind: "character"; readonly characterSet: CharacterSet }
  | { readonly kind: "sequence"; readonly parts: readonly Pattern[] }
  | { readonly kind: "alternatives"; readonly parts: readonly Pattern[] }
  | Repetition;

export interface Repetition {
  readonly kind: "repetition";
  readonly part: Pattern;
  /** At most {@link MAX_REPETITIONS}. */
  readonly minCount: number;
  /** At most {@link MAX_REPETITIONS}, or `Infinity` if the pattern states no maximum. */
  readonly maxCount: number;
}

/** The limit of nested groups. The parser calls itself for each level, and must not overflow the stack. */
const MAX_GROUP_DEPTH = 50;
/** The limit of one repetition, whose part match.ts copies as often. RE2 has the same limit (re2-pattern.ts). */
const MAX_REPETITIONS = 1000;

/** Parses a pattern. @throws SyntaxError whose message continues "the pattern …" */
export function parsePattern(text: string): Pattern {
  const reader = { characters: Array.from(text), index: 0 };
  const pattern = parseAlternatives(reader, 0);
  if (peek(reader) !== undefined) throw new SyntaxError("has a ) without a (");
  return pattern;
}

interface Reader {
  readonly characters: readonly string[];
  /** The index of the next character. */
  index: number;
}

/** Returns the next character, without reading it; undefined at the end. */
function peek({ characters, index }: Reader): string | undefined {
  return characters[index];
}

/** Reads the character if it is the next one. @returns true if it was */
function readCharacter(reader: Reader, character: string): boolean {
  if (peek(reader) !== character) return false;
  reader.index += 1;
  return true;
}

/** No quantifier or escape is longer: a quantifier has two numbers of six digits. */
const MAX_TOKEN_LENGTH = 20;

/** Reads what the expression matches at the next character. @returns null if it does not match there */
function readMatch(reader: Reader, expression: RegExp): RegExpExecArray | null {
  const nextCharacters = reader.characters.slice(reader.index, reader.index + MAX_TOKEN_LENGTH).join("");
  const match = expression.exec(nextCharacters);
  reader.index += match?.[0].length ?? 0;
  return match;
}

/** @param depth the number of groups around these alternatives */
function parseAlternatives(reader: Reader, depth: number): Pattern {
  if (depth > MAX_GROUP_DEPTH) throw new SyntaxError("nests its groups too deeply");
  const parts = [parseSequence(reader, depth)];
  while (readCharacter(reader, "|")) parts.push(parseSequence(reader, depth));
  return { kind: "alternatives", parts };
}

function parseSequence(reader: Reader, depth: number): Pattern {
  const parts: Pattern[] = [];
  if (depth === 0) readCharacter(reader, "^");
  for (;;) {
    const next = peek(reader);
    if (next === undefined || next === "|" || next === ")") return { kind: "sequence", parts };
    if (depth === 0 && readCharacter(reader, "$")) {
      const after = peek(reader);
      if (after !== undefined && after !== "|") throw new SyntaxError("has a $ before its end");
      continue;
    }
    parts.push(parseRepetition(reader, parseAtom(reader, depth)));
  }
}

/** Parses the quantifier that may follow a part. @returns the part itself if none follows */
function parseRepetition(reader: Reader, part: Pattern): Pattern {
  const limits = parseQuantifier(reader);
  if (limits === undefined) return part;
  const { minCount, maxCount } = limits;
  if (minCount > MAX_REPETITIONS || (maxCount !== Infinity && maxCount > MAX_REPETITIONS)) {
    throw new SyntaxError(`has a repetition of more than ${MAX_REPETITIONS} times`);
  }
  if (minCount > maxCount) throw new SyntaxError("has a repetition with its numbers in the wrong order");
  // `*?` is accepted: if the whole value must match, a lazy repetition matches the same values.
  readCharacter(reader, "?");
  if (parseQuantifier(reader) !== undefined)
    throw new SyntaxError("repeats a repetition: put the inner one into a group");
  return { kind: "repetition", part, minCount, maxCount };
}

type RepetitionLimits = Pick<Repetition, "minCount" | "maxCount">;

function parseQuantifier(reader: Reader): RepetitionLimits | undefined {
  if (readCharacter(reader, "*")) return { minCount: 0, maxCount: Infinity };
  if (readCharacter(reader, "+")) return { minCount: 1, maxCount: Infinity };
  if (readCharacter(reader, "?")) return { minCount: 0, maxCount: 1 };
  if (peek(reader) !== "{") return undefined;
  const braces = readMatch(reader, /^\{(\d{1,6})(?:(,)(\d{0,6}))?\}/);
  if (braces === null) throw new SyntaxError("has a { without a repetition: write \\{");
  const [, minDigits, comma, maxDigits] = braces;
  const minCount = Number(minDigits);
  if (comma === undefined) return { minCount, maxCount: minCount };
  return { minCount, maxCount: maxDigits === "" ? Infinity : Number(maxDigits) };
}

function parseAtom(reader: Reader, depth: number): Pattern {
  if (readCharacter(reader, "(")) {
    if (readCharacter(reader, "?") && !readCharacter(reader, ":")) {
      throw new SyntaxError("has a group that begins with (?: only (?:…) and (…) are allowed");
    }
    const inner = parseAlternatives(reader, depth + 1);
    if (!readCharacter(reader, ")")) throw new SyntaxError("has a ( without a )");
    return inner;
  }
  const start = reader.index;
  const character = peek(reader) ?? "";
  reader.index += 1;
  if (character === "[") skipClass(reader);
  else if (character === "\\") skipEscape(reader);
  else if (/[*+?{}\]^$]/.test(character)) {
    throw new SyntaxError(`has a ${character} out of place: write \\${character}`);
  }
  const source = reader.characters.slice(start, reader.index).join("");
  // Fast path: most atoms are letters, and compiling a regular expression for each would take most of the time.
  const isPlainCharacter = reader.index - start === 1 && character !== ".";
  if (isPlainCharacter) return { kind: "character", characterSet: createSingleCharacterSet(character) };
  try {
    const expression = new RegExp(`^${source}$`, "u");
    return { kind: "character", characterSet: { test: (tested) => expression.test(tested), source } };
  } catch {
    // Everything else was checked above: only the range of a class can be invalid, such as `[z-a]`.
    throw new SyntaxError("has an invalid range of characters");
  }
}

function createSingleCharacterSet(only: string): CharacterSet {
  return { test: (character) => character === only, source: only };
}

/** Reads the rest of a class, whose ranges `RegExp` checks later. */
function skipClass(reader: Reader): void {
  while (!readCharacter(reader, "]")) {
    if (peek(reader) === undefined) throw new SyntaxError("has a [ without a ]");
    if (!readCharacter(reader, "\\")) reader.index += 1;
    else if (!readCharacter(reader, "-")) skipEscape(reader);
  }
}

/** Reads the rest of an escape, and refuses those that the language lacks, such as `\b` and `\1`. */
function skipEscape(reader: Reader): void {
  const character = peek(reader);
  if (character === undefined) throw new SyntaxError("ends with a \\");
  reader.index += 1;
  if (character === "x" || character === "u") {
    const digits = character === "x" ? /^[\da-f]{2}/i : /^(?:[\da-f]{4}|\{(?:10|0?[\da-f])?[\da-f]{1,4}\})/i;
    if (readMatch(reader, digits) === null) {
      throw new SyntaxError(`has a \\${character} without its hexadecimal digits`);
    }
  } else if (!/[dDwWsSnrtfv^$\\.*+?()[\]{}|/]/.test(character)) {
    throw new SyntaxError(`has \\${character}, which is not allowed here`);
  }
}
