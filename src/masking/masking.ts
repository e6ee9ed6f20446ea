import { Automaton } from "./automaton.ts";
import type { Masking, Secret } from "./model.ts";
import { patternsOf, type Form } from "./patterns.ts";
import { Masker } from "./stream.ts";
import { fateOf } from "./texts.ts";

/** What masks secrets in any number of streams; see docs/masking.md for the forms in which they are found. */
export function maskingOf(secrets: readonly Secret[]): Masking {
  const masked = maskable(secrets);
  let made: Automaton | undefined;
  const automaton = (): Automaton => (made ??= searchedFor(masked).automaton);
  return {
    size: masked.length,
    prepare: (compiled) => {
      automaton().compiled = compiled;
    },
    stream: (state) => new Masker(automaton, state),
  };
}

/** What finds secrets and tells in which form; `size` is how many of them can be found. */
export function searchedFor(secrets: readonly Secret[]): {
  readonly automaton: Automaton;
  /** By the numbers of the automaton's patterns. */
  readonly forms: readonly Form[];
  readonly size: number;
} {
  const masked = maskable(secrets);
  const forms = patternsOf(masked);
  // In the order of their bytes, which are characters here.
  const patterns = [...forms.keys()].toSorted();
  return {
    automaton: new Automaton(patterns),
    forms: patterns.flatMap((pattern) => forms.get(pattern) ?? []),
    size: masked.length,
  };
}

function maskable(secrets: readonly Secret[]): readonly Secret[] {
  return secrets.filter(({ value }) => fateOf(value) === "masked");
}
