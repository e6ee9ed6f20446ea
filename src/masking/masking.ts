import { SophiaError } from "../core/error.ts";
import { Automaton } from "./automaton.ts";
import type { CompiledSearch, Secret, StreamState } from "./model.ts";
import { patternsOf, type Form } from "./patterns.ts";
import { Masker } from "./stream.ts";
import { fateOf } from "./texts.ts";

/** In bytes, of all secrets: some 100 MB of memory. An environment that Linux passes on by default holds half of it. */
export const MOST_BYTES = 4 * 1024 * 1024;

export type Masking = ReturnType<typeof maskingOf>;

/**
 * Returns what masks secrets in any number of streams; see docs/masking.md for the forms in which they are found.
 *
 * @param longest the bytes of the longest stream, if it is known: what cannot stand in it is not searched for
 * @throws SophiaError (redact-size, 125) for more than 4 MiB of secrets
 */
export function maskingOf(secrets: readonly Secret[], longest?: number) {
  const masked = maskable(secrets);
  let made: Automaton | undefined;
  const automaton = (): Automaton => (made ??= new Automaton(sorted(patternsOf(masked, longest))));
  return {
    /** The number of secrets that can be masked. */
    size: masked.length,
    /** Does what the first bytes of a stream would wait for, some milliseconds for a hundred secrets. */
    prepare: (compiled?: CompiledSearch): void => {
      const prepared = automaton();
      if (compiled !== undefined) prepared.use(compiled);
    },
    /** @param state where another masker of the same secrets has left a stream */
    stream: (state?: StreamState): Masker => new Masker(automaton, state),
  };
}

/**
 * Returns what finds secrets, and tells in which form.
 *
 * @throws SophiaError (redact-size, 125) for more than 4 MiB of secrets
 */
export function searchedFor(secrets: readonly Secret[]) {
  const masked = maskable(secrets);
  const forms = patternsOf(masked);
  const patterns = sorted(forms);
  return {
    automaton: new Automaton(patterns),
    /** By the numbers of the automaton's patterns. */
    forms: patterns.flatMap((pattern) => forms.get(pattern) ?? []),
    /** The number of secrets that can be found. */
    size: masked.length,
  };
}

/** In the order of their bytes, which are characters here. */
function sorted(forms: ReadonlyMap<string, Form>): readonly string[] {
  return [...forms.keys()].toSorted();
}

/** Returns what a secret counts towards {@link MOST_BYTES}; 0 if it cannot be masked. */
export function bytesToSearch({ value }: Secret): number {
  return fateOf(value) === "masked" ? value.length : 0;
}

function maskable(secrets: readonly Secret[]): readonly Secret[] {
  const masked = secrets.filter((secret) => bytesToSearch(secret) > 0);
  const bytes = masked.reduce((sum, { value }) => sum + value.length, 0);
  if (bytes > MOST_BYTES) {
    throw new SophiaError({
      code: "redact-size",
      message: `the secrets are too large to search for: ${(bytes / 1e6).toFixed(1)} MB in all, ${(MOST_BYTES / 1e6).toFixed(1)} MB at most`,
      hint: 'pass fewer of them (--scope, --exclude), or declare what is no secret ("secret": false)',
    });
  }
  return masked;
}
