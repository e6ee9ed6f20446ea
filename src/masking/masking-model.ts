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

/** The possible beginning of a secret with which a stream ends so far. */
export interface Beginning {
  /** The node of its bytes, decoded. Shorter beginnings may end with the same bytes. */
  readonly node: number;
  /** The number of bytes behind these that begin an escape, whose end has not come yet. */
  readonly undecided: number;
}

/** The search, compiled (native/masking/search.inc, decode.inc, candidate.inc and finder.inc). */
export interface CompiledSearch {
  /** Fills tables. @param args those of `build_search` */
  readonly buildSearch: (...args: readonly (Uint8Array | Uint32Array | number)[]) => void;
  /** @param tables in the order of `struct tables`; the caller must keep them as long as the handle */
  readonly prepareSearch: (...tables: readonly (Uint8Array | Uint16Array | Uint32Array)[]) => Uint8Array;
  /** Returns memory for the candidates of one stream. */
  readonly newCandidates: () => Uint8Array;
  /**
   * Finds matches as `Finder` does.
   *
   * @param before the number of the bytes that were read before
   * @param least -1 to report all matches; otherwise overlapping ones are joined, and encoded ones have so many bytes at least
   * @param results gets the last node, the index of the first byte to keep, the numbers of candidates and of matches
   * @returns 0, or an error of the system: matches are missing
   */
  readonly find: (
    handle: Uint8Array,
    candidates: Uint8Array,
    bytes: Uint8Array,
    before: number,
    node: number,
    window: number,
    run: number,
    least: number,
    isEnd: 0 | 1,
    results: Uint32Array,
  ) => number;
  /**
   * Lists the candidates that wait.
   *
   * @param length the number of bytes from the first that `find` has kept to the end of the stream
   * @param numbers gets two numbers for each candidate: those of {@link Beginning}
   * @returns the number of candidates
   */
  readonly listCandidates: (candidates: Uint8Array, length: number, numbers: Int32Array) => number;
  /** Copies the matches of the last call: five numbers for each (finder.inc). */
  readonly takeMatches: (matches: Int32Array) => void;
}
