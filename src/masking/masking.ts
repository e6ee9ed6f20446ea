import { Automaton } from "./automaton.ts";
import type { Masking, Secret } from "./model.ts";
import { patternsOf } from "./patterns.ts";
import { Masker } from "./stream.ts";
import { fateOf } from "./texts.ts";

/** What masks secrets in any number of streams; see docs/masking.md for the forms in which they are found. */
export function maskingOf(secrets: readonly Secret[]): Masking {
  const masked = secrets.filter(({ value }) => fateOf(value) === "masked");
  let made: Automaton | undefined;
  const automaton = (): Automaton => (made ??= new Automaton(sorted(patternsOf(masked).keys())));
  return { size: masked.length, prepare: () => void automaton(), stream: () => new Masker(automaton) };
}

/** In the order of their bytes. */
export function sorted(patterns: Iterable<string>): readonly string[] {
  return Array.from(patterns).toSorted((one, other) => (one < other ? -1 : one > other ? 1 : 0));
}
