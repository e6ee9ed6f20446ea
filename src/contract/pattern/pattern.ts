/**
 * Compiles the patterns of contracts, and limits their work. Each start matches values with the patterns of a contract that anyone
 * may have written. JavaScript's own matcher backtracks: `(a+)+b` hangs on thirty letters. The matcher in match.ts takes time
 * linear in the length of the value.
 */
import { SophiaError } from "../../core/error.ts";
import type { PatternUse, TextPattern } from "../contract-model.ts";
import { createMatcher } from "./match.ts";
import { type CharacterSet, type Pattern, parsePattern, type Repetition } from "./pattern-syntax.ts";

/** Compiles a pattern. @throws SyntaxError whose message continues "the pattern …" */
export function compilePattern(source: string): TextPattern {
  const pattern = parsePattern(source);
  const matches = createMatcher(pattern);
  return {
    source,
    matches: (value, use) => matches(value, meter(use)),
    sample: (word, minLength) => samplePattern(pattern, word, minLength),
  };
}

/**
 * The limit for all patterns of one check: half a second in the slowest engine, that of the executable. Steps, not time, are limited, so
 * that the result is the same on every machine.
 */
const MAX_STEPS = 2_000_000;

/** Returns the counter for one match. @throws SophiaError (contract-slow, 125) beyond the limit of the check */
function meter({ name, work }: PatternUse): (steps: number) => void {
  let stepsOfMatch = 0;
  return (steps) => {
    stepsOfMatch += steps;
    work.steps += steps;
    if (stepsOfMatch > work.maxSteps) {
      work.maxSteps = stepsOfMatch;
      work.slowestVariable = name;
    }
    if (work.steps <= MAX_STEPS) return;
    throw new SophiaError({
      code: "contract-slow",
      message: `the patterns of the contract take too long (slowest: ${work.slowestVariable})`,
      hint: "simplify the pattern, above all nested repetitions, or shorten the value",
    });
  };
}

/** Returns a string that the pattern matches: with `word`, and with at least `minLength` characters, if the pattern allows it. */
function samplePattern(pattern: Pattern, word: string, minLength: number): string {
  const shortest = sample(pattern, word, 0);
  const missing = minLength - Array.from(shortest).length;
  return missing <= 0 ? shortest : sample(pattern, word, missing);
}

/** @param extra characters that each repetition adds, up to its limit */
function sample(pattern: Pattern, word: string, extra: number): string {
  switch (pattern.kind) {
    case "character":
      return chooseCharacter(pattern.set, "a");
    case "sequence":
      return pattern.parts.map((part) => sample(part, word, extra)).join("");
    case "alternatives": {
      const samples = pattern.parts.map((part) => sample(part, word, extra));
      return samples.find((text) => text.includes(word)) ?? samples[0] ?? "";
    }
    case "repetition":
      return sampleRepetition(pattern, word, extra);
  }
}

function sampleRepetition({ part, minCount, maxCount }: Repetition, word: string, extra: number): string {
  const letters = Array.from(word);
  const set = part.kind === "character" ? part.set : undefined;
  // The word fits if the repeated character may be each of its letters.
  const fits = set !== undefined && letters.every((letter) => set.test(letter));
  const countForWord = fits ? Math.max(minCount, letters.length) : minCount;
  const count = Math.min(countForWord + extra, maxCount);
  if (set === undefined) return sample(part, word, 0).repeat(count);
  const preferredLetters = Array.from({ length: count }, (_, index) => letters[index % letters.length] ?? "a");
  return preferredLetters.map((letter) => chooseCharacter(set, letter)).join("");
}

/** Visible ASCII, letters first. */
const READABLE_CHARACTERS = Array.from("aA0-_").concat(
  Array.from({ length: 94 }, (_, index) => String.fromCodePoint(0x21 + index)),
);

/** Returns a character of the set: the preferred one, else a readable one, else any. */
function chooseCharacter(set: CharacterSet, preferred: string): string {
  const readable = [preferred, ...READABLE_CHARACTERS].find((each) => set.test(each));
  if (readable !== undefined) return readable;
  for (let code = 0; code <= 0x10_ff_ff; code++) {
    // Skips the halves of surrogate pairs, which UTF-8 cannot encode.
    if (code === 0xd8_00) code = 0xe0_00;
    const candidate = String.fromCodePoint(code);
    if (set.test(candidate)) return candidate;
  }
  return "";
}
