/**
 * The entry to this folder, which finds secrets in bytes and replaces them by `***`. `createMasking` is for the outputs of
 * programs: it creates a `Masker` for each stream. `createSearch` is for `sophia-run scan`, which reports in which form
 * (JSON, base64 and others) it has found a secret.
 */
import { SophiaError } from "../core/error.ts";
import { Automaton } from "./automaton.ts";
import type { CompiledSearch, Secret, StreamState } from "./masking-model.ts";
import { createPatterns, type Form } from "./patterns.ts";
import { Masker } from "./stream.ts";
import { maskabilityOf } from "./texts.ts";

/**
 * The limit of all secrets together. So many need some 100 MB of memory. An environment is smaller: by default, Linux
 * passes at most 2 MiB to a program.
 */
const MAX_SECRET_BYTES = 4 * 1024 * 1024;
/** The limit of secrets if those of former programs are among them. */
const MAX_SECRETS = 1000;

export type Masking = ReturnType<typeof createMasking>;

/**
 * Creates the masking of secrets; docs/masking.md lists the forms in which they are found.
 *
 * @param maxLength the length of the longest stream, in bytes. Longer texts cannot be in it, and are not searched for
 * @throws SophiaError (redact-size, 125) for more than 4 MiB of secrets
 */
export function createMasking(secrets: readonly Secret[], maxLength?: number) {
  const maskedSecrets = selectMaskable(secrets);
  let automaton: Automaton | undefined;
  const getAutomaton = (compiled?: CompiledSearch): Automaton =>
    (automaton ??= createAutomaton(createPatterns(maskedSecrets, maxLength), compiled).automaton);
  return {
    /** The number of secrets that are masked. */
    size: maskedSecrets.length,
    /** Builds the automaton in advance, which takes some milliseconds for a hundred secrets. */
    prepare: (compiled?: CompiledSearch): void => {
      if (automaton !== undefined && compiled !== undefined) automaton.use(compiled);
      getAutomaton(compiled);
    },
    /**
     * Creates the masker for a stream.
     *
     * @param compiled is used only if the first chunk arrives before `prepare` is called
     */
    stream: (state?: StreamState, compiled?: CompiledSearch): Masker => new Masker(() => getAutomaton(compiled), state),
  };
}

/**
 * Returns an automaton, and the form of each pattern at the index that `patternAt` of the automaton returns.
 *
 * @throws SophiaError (redact-size, 125) for more than 4 MiB of secrets
 */
export function createSearch(secrets: readonly Secret[], compiled?: CompiledSearch) {
  const maskedSecrets = selectMaskable(secrets);
  const formByPattern = createPatterns(maskedSecrets);
  const { automaton, patterns } = createAutomaton(formByPattern, compiled);
  const forms = patterns.flatMap((pattern) => formByPattern.get(pattern) ?? []);
  return { automaton, forms, size: maskedSecrets.length };
}

function createAutomaton(formByPattern: ReadonlyMap<string, Form>, compiled: CompiledSearch | undefined) {
  const patterns = [...formByPattern.keys()].toSorted();
  const shownLengths = Uint8Array.from(patterns, (pattern) => formByPattern.get(pattern)?.shownLength ?? 0);
  return { automaton: new Automaton(patterns, shownLengths, compiled), patterns };
}

/** Returns the length of a secret; 0 if it is not masked (texts.ts). */
function maskableLength({ value }: Secret): number {
  return maskabilityOf(value) === "masked" ? value.length : 0;
}

function selectMaskable(secrets: readonly Secret[]): readonly Secret[] {
  const maskable = secrets.filter((secret) => maskableLength(secret) > 0);
  const bytes = maskable.reduce((sum, { value }) => sum + value.length, 0);
  if (bytes > MAX_SECRET_BYTES) {
    throw new SophiaError({
      code: "redact-size",
      message: `the secrets are too large to search for: ${(bytes / 1e6).toFixed(1)} MB in all, ${(MAX_SECRET_BYTES / 1e6).toFixed(1)} MB at most`,
      hint: 'pass fewer of them (--scope, --exclude), or declare variables that are not secret ("secret": false)',
    });
  }
  return maskable;
}

/**
 * Adds the secrets of former programs, which files may still contain, to the current secrets. If there are too many, it
 * omits the oldest of the former ones.
 *
 * @param current the current secrets, which must be within the limits
 * @param former the secrets of former programs, the newest first
 * @returns `secrets`: the current and then the former secrets. `dropped`: the number of former secrets that were
 *   omitted
 */
export function addFormerSecrets(
  current: readonly Secret[],
  former: readonly Secret[],
): { readonly secrets: readonly Secret[]; readonly dropped: number } {
  const currentKeys = new Set(current.map(keyOf));
  const added = former.filter((secret) => maskableLength(secret) > 0 && !currentKeys.has(keyOf(secret)));
  let bytes = current.reduce((sum, secret) => sum + maskableLength(secret), 0);
  const firstIndexBeyondLimit = added.findIndex((secret, index) => {
    bytes += maskableLength(secret);
    return current.length + index >= MAX_SECRETS || bytes > MAX_SECRET_BYTES;
  });
  const withinLimits = firstIndexBeyondLimit === -1 ? added : added.slice(0, firstIndexBeyondLimit);
  return { secrets: [...current, ...withinLimits], dropped: added.length - withinLimits.length };
}

/** Returns a key for the bytes of a secret: the same one whether the value is a string or bytes. */
function keyOf({ value }: Secret): string {
  return Buffer.from(value).toString("latin1");
}
