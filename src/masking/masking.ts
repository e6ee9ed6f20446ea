import { Automaton } from "./automaton.ts";
import type { Masking, Secret } from "./model.ts";
import { patternsOf } from "./patterns.ts";
import { Masker } from "./stream.ts";

/** Makes secrets ready to be masked in any number of streams; see docs/masking.md for the forms in which they are found. */
export function maskingOf(secrets: readonly Secret[]): Masking {
  const { forms, secrets: size } = patternsOf(secrets);
  const automaton = new Automaton([...forms.keys()].toSorted(byBytes));
  return { size, stream: () => new Masker(automaton) };
}

function byBytes(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
