/** Texts that match a pattern, for dummy values; pure and deterministic. */
import { unreachable } from "../../core/error.ts";
import { includes } from "./match.ts";
import type { CharacterSet, Pattern } from "./syntax.ts";

/**
 * A text that the pattern matches and that contains `word` where a repetition has room for it.
 *
 * @param least how many characters the text should have at least; kept where the pattern allows it
 */
export function samplePattern(pattern: Pattern, word: string, least: number): string {
  const shortest = sample(pattern, word, 0);
  const missing = least - Array.from(shortest).length;
  return missing <= 0 ? shortest : sample(pattern, word, missing);
}

/** @param extra further characters that each unlimited repetition adds */
function sample(pattern: Pattern, word: string, extra: number): string {
  switch (pattern.kind) {
    case "characters":
      return character(pattern.set, "a");
    case "sequence":
      return pattern.parts.map((part) => sample(part, word, extra)).join("");
    case "alternatives": {
      const samples = pattern.parts.map((part) => sample(part, word, extra));
      return samples.find((text) => text.includes(word)) ?? samples[0] ?? "";
    }
    case "repetition":
      return repeat(pattern, word, extra);
    default:
      return unreachable(pattern);
  }
}

function repeat(pattern: Extract<Pattern, { kind: "repetition" }>, word: string, extra: number): string {
  const { part, least, most } = pattern;
  const letters = Array.from(word);
  // The word fits where the repeated character may be each of its letters.
  const set = part.kind === "characters" ? part.set : undefined;
  const fits = set !== undefined && letters.every((letter) => includes(set, letter.codePointAt(0) ?? 0));
  const wanted = fits ? Math.max(least, letters.length) : least;
  const times = Math.min(most, most === Infinity ? wanted + extra : Math.min(wanted + extra, 100 + wanted));
  const parts: string[] = [];
  for (let index = 0; index < times; index++) {
    const preferred = letters[index % letters.length] ?? "a";
    parts.push(set === undefined ? sample(part, word, 0) : character(set, preferred));
  }
  return parts.join("");
}

/** The preferred character where the set holds it, else the first readable one, else any. */
function character(set: CharacterSet, preferred: string): string {
  const candidates = [preferred.codePointAt(0) ?? 0, 0x61, 0x41, 0x30, 0x2d, 0x5f];
  for (const [from, to] of set.ranges) candidates.push(from, to, to + 1);
  for (let code = 0x21; code < 0x7f; code++) candidates.push(code);
  const found = candidates.find(
    (code) => code <= 0x10_ff_ff && !(code >= 0xd8_00 && code <= 0xdf_ff) && includes(set, code),
  );
  return found === undefined ? "" : String.fromCodePoint(found);
}
