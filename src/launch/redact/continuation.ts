import { readFileSync } from "node:fs";
import { maskingOf } from "../../masking/masking.ts";
import { startPump } from "./pump.ts";
import { closeQuietly, readFrom } from "./source.ts";

/** What that process gets on its standard input, as JSON. Its descriptors are a source and a target in turn, from 3 on. */
export interface Continuation {
  /** Names, and values as base64. */
  readonly secrets: readonly (readonly [string, string])[];
  /** For each stream what was read and not passed on, as base64. */
  readonly held: readonly string[];
}

/** Masks what the launcher has left, until nobody can write any more. */
export async function continueMasking(): Promise<number> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- hand-over.ts wrote it
  const { secrets, held } = JSON.parse(readFileSync(0, "utf8")) as Continuation;
  const masking = maskingOf(secrets.map(([name, value]) => ({ name, value: Buffer.from(value, "base64") })));
  await Promise.all(
    held.map(async (first, index) => {
      const target = 4 + 2 * index;
      await new Promise<void>((ended) => {
        const events = { masked: () => {}, wrote: async () => {}, failed: () => {}, ended };
        startPump(readFrom(3 + 2 * index), target, masking.stream(), events, Buffer.from(first, "base64"));
      });
      closeQuietly(target);
    }),
  );
  return 0;
}
