/** What masking is made of; types only. */

/** A secret to keep out of an output. */
export interface Secret {
  /** The environment variable. */
  readonly name: string;
  readonly value: string | Uint8Array;
}

/**
 * One stream's masker. Feed it the bytes in order; it gives back what may be passed on, with `***` in place of secrets.
 * Matches that overlap are one: no tail of a secret is left over.
 */
export interface StreamMasker {
  /**
   * The bytes that may be passed on now. They share the chunk's memory where nothing in it changed; else their memory is
   * used again by the next call.
   */
  push(chunk: Uint8Array): Uint8Array;
  /**
   * The length of the possible beginning of a secret with which the stream ends so far; 0 when nothing of it is held
   * back. It counts what was released of it before: a secret that is written byte by byte does not get through.
   */
  readonly held: number;
  /** Where it is: for another masker, which goes on with the stream. */
  state(): StreamState;
  /** Releases what is held back: after a silence with fewer than four bytes held, and at the end of the stream. */
  flush(): Uint8Array;
  /** Replacements so far. */
  readonly masked: number;
}

/** All that a masker knows of the stream so far that counts for what follows. */
export interface StreamState {
  /** The possible beginning of a secret with which the stream ends so far, line breaks of base64 in it too. */
  readonly read: Uint8Array;
  /** How many of these bytes, the last ones, were not released. */
  readonly held: number;
  /** How many bytes were read after what was replaced last. */
  readonly sinceMask: number;
  /** How many characters of base64 stand before `read`, as far as that counts for a line break behind them. */
  readonly run: number;
}

/** The loop over all bytes, compiled (launch/redact/search.h). It does what the automaton does otherwise. */
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

/** What is to be masked, for any number of streams, at the same time too. */
export interface Masking {
  /** @param state where another masker of the same secrets has left a stream */
  stream(state?: StreamState): StreamMasker;
  /** How many of the secrets can be masked. */
  readonly size: number;
  /**
   * Makes ready what the first bytes of a stream would wait for, some milliseconds for a hundred secrets. Call it when
   * the program was started, which takes as long to say its first word.
   */
  prepare(compiled?: CompiledSearch): void;
}
