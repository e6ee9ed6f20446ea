/** What masking is made of; types only. */

/** A secret to keep out of an output. */
export interface Secret {
  /** The environment variable. */
  readonly name: string;
  readonly value: string | Uint8Array;
}

/** One stream's masker. It replaces secrets by `***`. Matches that overlap are one: no tail of a secret is left over. */
export interface StreamMasker {
  /** The bytes that may be passed on now. Their memory is the chunk's, or used again by the next call. */
  push(chunk: Uint8Array): Uint8Array;
  /**
   * The length of the possible beginning of a secret with which the stream ends so far; 0 when nothing of it is held
   * back. Includes bytes that were released before: a secret that is written byte by byte does not get through.
   */
  readonly held: number;
  /** For another masker, which goes on with the stream. */
  state(): StreamState;
  /** Releases what is held back: after a silence with fewer than four bytes held, and at the end of the stream. */
  flush(): Uint8Array;
  /** Replacements so far. */
  readonly masked: number;
}

/** The position of a masker in a stream. */
export interface StreamState {
  /** The possible beginning of a secret with which the stream ends so far, line breaks of base64 in it too. */
  readonly read: Uint8Array;
  /** The number of these bytes, the last ones, that were not released. */
  readonly held: number;
  /** The number of bytes behind what was replaced last. */
  readonly sinceMask: number;
  /** The number of characters of base64 before `read`, as far as that counts for a line break behind them. */
  readonly run: number;
}

/** The automaton's loop over all bytes, compiled (launch/redact/search.h). */
export interface CompiledSearch {
  /** Returns a handle of the automaton's tables, which the caller must keep as long as the handle. */
  readonly prepareSearch: (
    shift: Uint8Array,
    starts: Uint8Array,
    label: Uint8Array,
    branch: Uint32Array,
    parent: Uint32Array,
    first: Uint32Array,
    end: Uint32Array,
    forks: Uint32Array,
    escapes: Uint8Array,
    isBase64: Uint8Array,
    occurs: Uint8Array,
  ) => Uint8Array;
  readonly skip: (handle: Uint8Array, window: number, bytes: Uint8Array, at: number, run: number) => number;
}

/** Masks secrets in any number of streams. */
export interface Masking {
  /** @param state where another masker of the same secrets has left a stream */
  stream(state?: StreamState): StreamMasker;
  /** The number of secrets that can be masked. */
  readonly size: number;
  /** Does what the first bytes of a stream would wait for, some milliseconds for a hundred secrets. */
  prepare(compiled?: CompiledSearch): void;
}
