/** Values that match a pattern, for dummy values; pure and deterministic. */
import type { CharacterSet, Pattern, Repetition } from "./syntax.ts";

/**
 * A string that the pattern matches, with `word` in it where a repetition has room.
 * @param least how many characters it should have at least; kept where the pattern allows it
 */
export function samplePattern(pattern: Pattern, word: string, least: number): string {
  const shortest = sample(pattern, word, 0);
  const missing = least - Array.from(shortest).length;
  return missing <= 0 ? shortest : sample(pattern, word, missing);
}

/** @param extra further characters that each repetition adds, as far as its limit allows */
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
  // The word fits where the repeated character may be each of its letters.
  const fits = set !== undefined && letters.every((letter) => set.test(letter));
  const wanted = (fits ? Math.max(least, letters.length) : least) + extra;
  const times = Math.min(wanted, most);
  if (set === undefined) return sample(part, word, 0).repeat(times);
  return Array.from({ length: times }, (_, index) => character(set, letters[index % letters.length] ?? "a")).join("");
}

const READABLE = Array.from("aA0-_").concat(
  Array.from({ length: 94 }, (_, index) => String.fromCodePoint(0x21 + index)),
);

/** The preferred character where the set holds it, else the first readable one, else the first of all. */
function character(set: CharacterSet, preferred: string): string {
  const readable = [preferred, ...READABLE].find((one) => set.test(one));
  if (readable !== undefined) return readable;
  for (let code = 0; code <= 0x10_ff_ff; code++) {
    // A half of a surrogate pair is not a character that UTF-8 can hold.
    if (code === 0xd8_00) code = 0xe0_00;
    const one = String.fromCodePoint(code);
    if (set.test(one)) return one;
  }
  return "";
}
