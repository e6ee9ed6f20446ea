/**
 * The pattern language of contracts: JavaScript's regular expressions (flag `u`) without look-around, back-references
 * and word boundaries. A pattern matches the whole value: `^` at its beginning and `$` at its end have no effect.
 */

export interface CharacterSet {
  readonly test: (character: string) => boolean;
  /** As the pattern writes it: a character, an escape such as `\\d`, or a class such as `[a-z]`. */
  readonly source: string;
}

export type Pattern =
  /** `set` matches only single characters, so that it cannot backtrack. */
  | { readonly kind: "character"; readonly set: CharacterSet }
  | { readonly kind: "sequence"; readonly parts: readonly Pattern[] }
  | { readonly kind: "alternatives"; readonly parts: readonly Pattern[] }
  | Repetition;

export interface Repetition {
  readonly kind: "repetition";
  readonly part: Pattern;
  readonly least: number;
  readonly most: number;
}

const DEEPEST_GROUP = 50;
const MOST_REPETITIONS = 1000;

/** @throws SyntaxError in words that continue "the pattern …" */
export function parsePattern(text: string): Pattern {
  const reader = { characters: Array.from(text), at: 0 };
  const pattern = alternatives(reader, 0);
  if (peek(reader) !== undefined) throw new SyntaxError("has a ) without a (");
  return pattern;
}

interface Reader {
  readonly characters: readonly string[];
  at: number;
}

function peek({ characters, at }: Reader): string | undefined {
  return characters[at];
}

function accept(reader: Reader, character: string): boolean {
  if (peek(reader) !== character) return false;
  reader.at += 1;
  return true;
}

function acceptMatch(reader: Reader, expression: RegExp): RegExpExecArray | null {
  const found = expression.exec(reader.characters.slice(reader.at, reader.at + 20).join(""));
  reader.at += found?.[0].length ?? 0;
  return found;
}

function alternatives(reader: Reader, depth: number): Pattern {
  if (depth > DEEPEST_GROUP) throw new SyntaxError("nests its groups too deeply");
  const parts = [sequence(reader, depth)];
  while (accept(reader, "|")) parts.push(sequence(reader, depth));
  return { kind: "alternatives", parts };
}

function sequence(reader: Reader, depth: number): Pattern {
  const parts: Pattern[] = [];
  if (depth === 0) accept(reader, "^");
  for (;;) {
    const next = peek(reader);
    if (next === undefined || next === "|" || next === ")") return { kind: "sequence", parts };
    if (depth === 0 && accept(reader, "$")) {
      const after = peek(reader);
      if (after !== undefined && after !== "|") throw new SyntaxError("has a $ before its end");
      continue;
    }
    parts.push(repetition(reader, atom(reader, depth)));
  }
}

function repetition(reader: Reader, part: Pattern): Pattern {
  const limits = repetitionLimits(reader);
  if (limits === undefined) return part;
  const { least, most } = limits;
  if (least > MOST_REPETITIONS || (most !== Infinity && most > MOST_REPETITIONS)) {
    throw new SyntaxError(`has a repetition of more than ${MOST_REPETITIONS} times`);
  }
  if (least > most) throw new SyntaxError("has a repetition with its numbers in the wrong order");
  // A lazy repetition matches the same values.
  accept(reader, "?");
  if (repetitionLimits(reader) !== undefined)
    throw new SyntaxError("repeats a repetition: put the inner one into a group");
  return { kind: "repetition", part, least, most };
}

function repetitionLimits(reader: Reader): { least: number; most: number } | undefined {
  if (accept(reader, "*")) return { least: 0, most: Infinity };
  if (accept(reader, "+")) return { least: 1, most: Infinity };
  if (accept(reader, "?")) return { least: 0, most: 1 };
  if (peek(reader) !== "{") return undefined;
  const braces = acceptMatch(reader, /^\{(\d{1,6})(,?)(\d{0,6})\}/);
  if (braces === null) throw new SyntaxError("has a { without a repetition: write \\{");
  const least = Number(braces[1]);
  const most = braces[2] === "" ? least : braces[3] === "" ? Infinity : Number(braces[3]);
  return { least, most };
}

function atom(reader: Reader, depth: number): Pattern {
  if (accept(reader, "(")) {
    if (accept(reader, "?") && !accept(reader, ":")) {
      throw new SyntaxError("has a group that begins with (?: only (?:…) and (…) are allowed");
    }
    const inner = alternatives(reader, depth + 1);
    if (!accept(reader, ")")) throw new SyntaxError("has a ( without a )");
    return inner;
  }
  const start = reader.at;
  const character = peek(reader) ?? "";
  reader.at += 1;
  if (character === "[") skipClass(reader);
  else if (character === "\\") skipEscape(reader);
  else if (/[*+?{}\]^$]/.test(character)) {
    throw new SyntaxError(`has a ${character} out of place: write \\${character}`);
  }
  const source = reader.characters.slice(start, reader.at).join("");
  // Fast path: compiling a regular expression for each letter would take most of the time.
  if (reader.at - start === 1 && character !== ".") return { kind: "character", set: only(character) };
  try {
    const expression = new RegExp(`^${source}$`, "u");
    return { kind: "character", set: { test: (one) => expression.test(one), source } };
  } catch {
    throw new SyntaxError("has an invalid range of characters");
  }
}

function only(wanted: string): CharacterSet {
  return { test: (character) => character === wanted, source: wanted };
}

function skipClass(reader: Reader): void {
  while (!accept(reader, "]")) {
    if (peek(reader) === undefined) throw new SyntaxError("has a [ without a ]");
    if (!accept(reader, "\\")) reader.at += 1;
    else if (!accept(reader, "-")) skipEscape(reader);
  }
}

function skipEscape(reader: Reader): void {
  const character = peek(reader);
  if (character === undefined) throw new SyntaxError("ends with a \\");
  reader.at += 1;
  if (character === "x" || character === "u") {
    const digits = character === "x" ? /^[\da-f]{2}/i : /^(?:[\da-f]{4}|\{(?:10|0?[\da-f])?[\da-f]{1,4}\})/i;
    if (acceptMatch(reader, digits) === null) {
      throw new SyntaxError(`has a \\${character} without its hexadecimal digits`);
    }
  } else if (!/[dDwWsSnrtfv^$\\.*+?()[\]{}|/]/.test(character)) {
    throw new SyntaxError(`has \\${character}, which is not allowed here`);
  }
}
