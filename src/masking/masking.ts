import { SophiaError } from "../core/error.ts";
import { Automaton } from "./automaton.ts";
import type { CompiledSearch, Secret, StreamState } from "./masking-model.ts";
import { patternsOf, type Form } from "./patterns.ts";
import { Masker } from "./stream.ts";
import { maskabilityOf } from "./texts.ts";

/** Limit on the bytes of all secrets: they need some 100 MB of memory. Linux passes on half of it in an environment by default. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Limit on the number of masked secrets, former ones included. */
const MOST_SECRETS = 1000;

export type Masking = ReturnType<typeof maskingOf>;

/**
 * Makes maskers of secrets, for streams of at most `longest` bytes; docs/masking.md lists the forms that they find.
 * @throws SophiaError (redact-size, 125) for more than 4 MiB of secrets
 */
export function maskingOf(secrets: readonly Secret[], longest?: number) {
  const masked = maskable(secrets);
  let made: Automaton | undefined;
  const automaton = (compiled?: CompiledSearch): Automaton =>
    (made ??= automatonOf(patternsOf(masked, longest), compiled).automaton);
  return {
    size: masked.length,
    /** Builds the search in advance: some milliseconds for a hundred secrets. */
    prepare: (compiled?: CompiledSearch): void => {
      if (made !== undefined && compiled !== undefined) made.use(compiled);
      automaton(compiled);
    },
    /** @param compiled makes the search if the first chunk comes before `prepare` */
    stream: (state?: StreamState, compiled?: CompiledSearch): Masker => new Masker(() => automaton(compiled), state),
  };
}

/** Makes an automaton, and the forms of its patterns by number. @throws SophiaError as {@link maskingOf} */
export function searchedFor(secrets: readonly Secret[], compiled?: CompiledSearch) {
  const masked = maskable(secrets);
  const byPattern = patternsOf(masked);
  const { automaton, patterns } = automatonOf(byPattern, compiled);
  return { automaton, forms: patterns.flatMap((pattern) => byPattern.get(pattern) ?? []), size: masked.length };
}

function automatonOf(forms: ReadonlyMap<string, Form>, compiled: CompiledSearch | undefined) {
  const patterns = [...forms.keys()].toSorted();
  const shown = Uint8Array.from(patterns, (pattern) => forms.get(pattern)?.shown ?? 0);
  return { automaton: new Automaton(patterns, shown, compiled), patterns };
}

/** Returns the bytes of a secret that {@link MOST_BYTES} limits; 0 if it cannot be masked. */
function bytesToSearch({ value }: Secret): number {
  return maskabilityOf(value) === "masked" ? value.length : 0;
}

function maskable(secrets: readonly Secret[]): readonly Secret[] {
  const masked = secrets.filter((secret) => bytesToSearch(secret) > 0);
  const bytes = masked.reduce((sum, { value }) => sum + value.length, 0);
  if (bytes > MOST_BYTES) {
    throw new SophiaError({
      code: "redact-size",
      message: `the secrets are too large to search for: ${(bytes / 1e6).toFixed(1)} MB in all, ${(MOST_BYTES / 1e6).toFixed(1)} MB at most`,
      hint: 'pass fewer of them (--scope, --exclude), or declare variables that are not secret ("secret": false)',
    });
  }
  return masked;
}

/**
 * Adds the secrets of former programs, which files may still contain, to the latest ones, which must be within the limits
 * of masking. The oldest beyond the limits are dropped. `former` and the result begin with the newest.
 */
export function withFormer(
  latest: readonly Secret[],
  former: readonly Secret[],
): { readonly secrets: readonly Secret[]; readonly dropped: number } {
  const values = new Set(latest.map(keyOf));
  const others = former.filter((secret) => bytesToSearch(secret) > 0 && !values.has(keyOf(secret)));
  let bytes = latest.reduce((sum, secret) => sum + bytesToSearch(secret), 0);
  const end = others.findIndex((secret, index) => {
    bytes += bytesToSearch(secret);
    return latest.length + index >= MOST_SECRETS || bytes > MOST_BYTES;
  });
  const kept = end === -1 ? others : others.slice(0, end);
  return { secrets: [...latest, ...kept], dropped: others.length - kept.length };
}

function keyOf({ value }: Secret): string {
  return Buffer.from(value).toString("latin1");
}
