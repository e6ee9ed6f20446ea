/** What masking is made of; types only. */

/** A secret to keep out of an output. */
export interface Secret {
  /** The environment variable. */
  readonly name: string;
  readonly value: string | Uint8Array;
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
