/**
 * Compiles the patterns of contracts (`"pattern": "sk-[a-z]{20}"`), and limits the steps of their matches. Each start
 * matches values against the patterns of the contract, which anyone may have written. A `RegExp` of JavaScript
 * backtracks, so that `(a+)+b` hangs on thirty letters. The matcher in match.ts takes time linear in the length of the
 * value.
 */
import { SophiaError } from "../../core/error.ts";
import type { PatternUse, TextPattern } from "../contract-model.ts";
import { Matcher } from "./match.ts";
import { type CharacterSet, type Pattern, parsePattern, type Repetition } from "./pattern-syntax.ts";

/** Compiles a pattern. @throws SyntaxError whose message continues "the pattern …" */
export function compilePattern(source: string): TextPattern {
  const pattern = parsePattern(source);
  const matcher = new Matcher(pattern);
  return {
    source,
    matches: (value, use) => matcher.matches(value, createStepCounter(use)),
    sample: (word, minLength) => samplePattern(pattern, word, minLength),
  };
}

/**
 * The limit for all patterns of one check. So many steps take half a second in the slowest engine, QuickJS in the
 * executable. Steps are limited instead of time, so that the result is the same on every machine.
 */
const MAX_STEPS = 2_000_000;

/**
 * Returns the function that counts the steps of one match.
 *
 * It throws a SophiaError (contract-slow, 125) once all matches of the check have taken too many steps.
 */
function createStepCounter({ name, work }: PatternUse): (steps: number) => void {
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

/**
 * Returns a text that the pattern matches, for a dummy value. If the pattern allows it, the text contains `word`, and
 * has at least `minLength` characters.
 */
function samplePattern(pattern: Pattern, word: string, minLength: number): string {
  const shortest = samplePart(pattern, word, 0);
  const missing = minLength - Array.from(shortest).length;
  return missing <= 0 ? shortest : samplePart(pattern, word, missing);
}

/** @param extraCount how often each repetition repeats its part in addition, up to its limit */
function samplePart(pattern: Pattern, word: string, extraCount: number): string {
  switch (pattern.kind) {
    case "character":
      return chooseCharacter(pattern.characterSet, "a");
    case "sequence":
      return pattern.parts.map((part) => samplePart(part, word, extraCount)).join("");
    case "alternatives": {
      const samples = pattern.parts.map((part) => samplePart(part, word, extraCount));
      return samples.find((text) => text.includes(word)) ?? samples[0] ?? "";
    }
    case "repetition":
      return sampleRepetition(pattern, word, extraCount);
  }
}

function sampleRepetition({ part, minCount, maxCount }: Repetition, word: string, extraCount: number): string {
  const letters = Array.from(word);
  const characterSet = part.kind === "character" ? part.characterSet : undefined;
  const mayBeWord = characterSet !== undefined && letters.every((letter) => characterSet.test(letter));
  // One copy of the part for each letter of the word, so that the sample contains the word if `maxCount` allows it.
  const countForWord = mayBeWord ? Math.max(minCount, letters.length) : minCount;
  const count = Math.min(countForWord + extraCount, maxCount);
  if (characterSet === undefined) return samplePart(part, word, 0).repeat(count);
  const preferredLetters = Array.from({ length: count }, (_, index) => letters[index % letters.length] ?? "a");
  return preferredLetters.map((letter) => chooseCharacter(characterSet, letter)).join("");
}

/** The visible characters of ASCII. One of each usual kind comes first. */
const READABLE_CHARACTERS = Array.from("aA0-_").concat(
  Array.from({ length: 94 }, (_, index) => String.fromCodePoint(0x21 + index)),
);

/** Returns a character of the set: the preferred one if possible; otherwise a readable one if possible. */
function chooseCharacter(characterSet: CharacterSet, preferred: string): string {
  const readable = [preferred, ...READABLE_CHARACTERS].find((character) => characterSet.test(character));
  if (readable !== undefined) return readable;
  for (let code = 0; code <= 0x10_ff_ff; code++) {
    // Skips surrogates, which UTF-8 cannot encode.
    if (code === 0xd8_00) code = 0xe0_00;
    const candidate = String.fromCodePoint(code);
    if (characterSet.test(candidate)) return candidate;
  }
  // The set has no character, so that the pattern matches no text. The caller checks the sample.
  return "";
}
