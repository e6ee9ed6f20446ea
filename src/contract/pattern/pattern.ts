/**
 * Patterns of contracts. Their matcher is linear in the value's length; JavaScript's backtracks: `(a+)+b` hangs on
 * thirty letters. A contract of any author is checked before each start.
 */
import { SophiaError } from "../../core/error.ts";
import type { PatternUse, TextPattern } from "../contract-model.ts";
import { makeMatcher } from "./match.ts";
import { type CharacterSet, type Pattern, parsePattern, type Repetition } from "./pattern-syntax.ts";

/** @throws SyntaxError for an invalid pattern, in words that continue "the pattern …" */
export function compilePattern(source: string): TextPattern {
  const pattern = parsePattern(source);
  const matches = makeMatcher(pattern);
  return {
    source,
    matches: (value, use) => matches(value, meter(use)),
    sample: (word, least) => samplePattern(pattern, word, least),
  };
}

/** Limit of one check: half a second in the slowest engine (stand-alone). Steps are the same on every machine. */
const MOST_STEPS = 2_000_000;

/** Returns the counter for one match. @throws SophiaError (contract-slow, 125) beyond the limit of the check */
function meter({ name, work }: PatternUse): (steps: number) => void {
  let own = 0;
  return (steps) => {
    own += steps;
    work.steps += steps;
    if (own > work.most) {
      work.most = own;
      work.slowest = name;
    }
    if (work.steps <= MOST_STEPS) return;
    throw new SophiaError({
      code: "contract-slow",
      message: `the patterns of the contract take too long (slowest: ${work.slowest})`,
      hint: "simplify the pattern, above all nested repetitions, or shorten the value",
    });
  };
}

/** Returns a string that matches, of `least` characters if the pattern allows it, with `word` if it fits. */
function samplePattern(pattern: Pattern, word: string, least: number): string {
  const shortest = sample(pattern, word, 0);
  const missing = least - Array.from(shortest).length;
  return missing <= 0 ? shortest : sample(pattern, word, missing);
}

/** @param extra characters that each repetition adds, up to its limit */
function sample(pattern: Pattern, word: string, extra: number): string {
  switch (pattern.kind) {
    case "character":
      return character(pattern.set, "a");
    case "sequence":
      return pattern.parts.map((part) => sample(part, word, extra)).join("");
    case "alternatives": {
      const samples = pattern.parts.map((part) => sample(part, word, extra));
      return samples.find((text) => text.includes(word)) ?? samples[0] ?? "";
    }
    case "repetition":
      return repeat(pattern, word, extra);
  }
}

function repeat({ part, least, most }: Repetition, word: string, extra: number): string {
  const letters = Array.from(word);
  const set = part.kind === "character" ? part.set : undefined;
  // The word fits if the repeated character may be each of its letters.
  const fits = set !== undefined && letters.every((letter) => set.test(letter));
  const wanted = (fits ? Math.max(least, letters.length) : least) + extra;
  const times = Math.min(wanted, most);
  if (set === undefined) return sample(part, word, 0).repeat(times);
  return Array.from({ length: times }, (_, index) => character(set, letters[index % letters.length] ?? "a")).join("");
}

const READABLE = Array.from("aA0-_").concat(
  Array.from({ length: 94 }, (_, index) => String.fromCodePoint(0x21 + index)),
);

function character(set: CharacterSet, preferred: string): string {
  const readable = [preferred, ...READABLE].find((one) => set.test(one));
  if (readable !== undefined) return readable;
  for (let code = 0; code <= 0x10_ff_ff; code++) {
    // UTF-8 has no halves of surrogate pairs.
    if (code === 0xd8_00) code = 0xe0_00;
    const one = String.fromCodePoint(code);
    if (set.test(one)) return one;
  }
  return "";
}
