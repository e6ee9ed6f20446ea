import { readFileSync } from "node:fs";
import { ExitStatus } from "../../core/error.ts";
import { maskingOf } from "../../masking/masking.ts";
import type { StreamState } from "../../masking/model.ts";
import { startPump } from "./pump.ts";
import { closeQuietly, readFrom } from "./source.ts";
import { openSystem } from "./system.ts";

/** What that process gets on its standard input, as JSON. Its descriptors are a source and a target in turn, from 3 on. */
export interface Continuation {
  /** Names, and values as base64. */
  readonly secrets: readonly (readonly [string, string])[];
  /** For each stream where it is, with bytes as base64. */
  readonly streams: readonly (Omit<StreamState, "read"> & { readonly read: string })[];
}

/** Masks what the launcher has left, until nobody can write any more. */
export async function continueMasking(): Promise<number> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- hand-over.ts wrote it
  const { secrets, streams } = JSON.parse(readFileSync(0, "utf8")) as Continuation;
  const masking = maskingOf(secrets.map(([name, value]) => ({ name, value: Buffer.from(value, "base64") })));
  const system = await openSystem();
  if (system === undefined) return ExitStatus.failed;
  const { addon, watcher } = system;
  masking.prepare(addon);
  await Promise.all(
    streams.map(async ({ read, ...state }, index) => {
      const target = 4 + 2 * index;
      const masker = masking.stream({ ...state, read: Buffer.from(read, "base64") });
      await new Promise<void>((ended) => {
        const events = { masked: () => {}, wrote: async () => {}, failed: () => {}, ended };
        const pump = startPump(readFrom(3 + 2 * index, watcher), target, masker, events);
        watcher.whenUnread(target, pump.loseReader);
      });
      watcher.forget(target);
      closeQuietly(target);
    }),
  );
  return 0;
}
