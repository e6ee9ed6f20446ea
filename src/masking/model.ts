/** The nouns of masking; types only. */

export interface Secret {
  readonly name: string;
  readonly value: string | Uint8Array;
}

export interface StreamState {
  /** The bytes with which the stream ends so far and a secret may begin. */
  readonly read: Uint8Array;
  /** The number of these bytes, the last ones, that were not released. */
  readonly held: number;
  /** The number of bytes after the last mask. */
  readonly sinceMask: number;
  /** The number of characters of base64 before `read`: enough of them make the next line break one of base64. */
  readonly run: number;
}

/** The automaton's loops over all bytes, compiled (launch/redact/search.h). */
export interface CompiledSearch {
  /** Fills tables. @param args those of `build_search` */
  readonly buildSearch: (...args: readonly (Uint8Array | Uint32Array | number)[]) => void;
  /** @param tables in the order of `struct tables`; the caller must keep them as long as the handle */
  readonly prepareSearch: (...tables: readonly (Uint8Array | Uint16Array | Uint32Array)[]) => Uint8Array;
  readonly skip: (handle: Uint8Array, window: number, bytes: Uint8Array, at: number, run: number) => number;
  /** Returns the index that it has reached. @param reached gets the node there */
  readonly advance: (
    handle: Uint8Array,
    node: number,
    bytes: Uint8Array,
    at: number,
    shallow: number,
    reached: Uint32Array,
  ) => number;
}
