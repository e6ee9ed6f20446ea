/** The types and numbers that several files of masking share. */
import type { Encoding } from "./encodings/encodings.ts";

/** The automaton's node for no bytes: no pattern begins with the last byte. */
export const ROOT = 0;

/**
 * Limit on the candidates of one stream. It keeps the time linear for secrets that were made to defeat the search. It loses no
 * ordinary secret: one encoding has eight candidates at most.
 */
export const MAX_CANDIDATES = 128;

export interface Secret {
  /** The name of the variable. */
  readonly name: string;
  readonly value: string | Uint8Array;
}

/** The state that a masker hands over to another masker, which continues the same stream with other secrets or in another process. */
export interface StreamState {
  /** The bytes with which the stream ends so far, and with which a secret may begin. */
  readonly keptBytes: Uint8Array;
  /** The number of these bytes, the last ones, that were not passed on. */
  readonly heldLength: number;
  /** The number of bytes of the stream behind the last mask. */
  readonly lengthSinceMask: number;
  /** The number of base64 characters directly before `keptBytes`: enough of them make the next line break one of base64. */
  readonly base64Before: number;
}

/** The possible beginning of a secret with which a stream ends so far. */
export interface Beginning {
  /** The automaton's node for its bytes, decoded. Shorter beginnings may end with the same bytes. */
  readonly node: number;
  /** The number of bytes behind these that begin an escape, whose end has not arrived yet. */
  readonly undecided: number;
}

/** The point at which the search of some bytes has ended. */
export interface SearchEnd {
  /** The automaton's node after the last byte. */
  readonly node: number;
  /** The index of the first byte with which a secret may begin that has not ended yet. */
  readonly keepFrom: number;
}

/**
 * Is called for each match.
 *
 * @param start offset of the match's first byte in the stream
 * @param end offset behind its last byte
 * @param node the automaton's node at which the pattern ends (see `patternAt`)
 * @param isShell true if the match contains an escape that only shells write
 */
export type OnMatch = (start: number, end: number, node: number, encoding: Encoding, isShell: boolean) => void;

/** The tables of an automaton, in the order of `struct tables` in native/masking/search.inc. */
export type SearchTables = readonly (Uint8Array | Uint16Array | Uint32Array)[];

/** The search, compiled (native/masking/search.inc, decode.inc, candidate.inc and finder.inc). */
export interface CompiledSearch {
  /** Fills the tables of `PatternTables`. @param args those of `build_search` */
  readonly buildSearch: (...args: readonly (Uint8Array | Uint32Array | number)[]) => void;
  /**
   * Prepares searches by the tables of one automaton.
   *
   * @param tables the caller must keep them as long as the handle
   * @returns the handle
   */
  readonly prepareSearch: (...tables: SearchTables) => Uint8Array;
  /** Returns memory for the candidates of one stream. */
  readonly newCandidates: () => Uint8Array;
  /**
   * Finds matches as `StepSearch` does, and stores them for `takeMatches`.
   *
   * @param readLength the number of the first bytes that were searched before
   * @param node the automaton's node after those bytes
   * @param window the length of the shortest pattern
   * @param minEncodedLength -1 to report all matches; otherwise overlapping matches are joined, and encoded matches of fewer
   *   bytes are omitted
   * @param results gets the node after the last byte, the index of the first byte to keep, and the numbers of candidates and of
   *   matches
   * @returns 0, or an error number of the system: matches are missing
   */
  readonly find: (
    handle: Uint8Array,
    candidates: Uint8Array,
    bytes: Uint8Array,
    readLength: number,
    node: number,
    window: number,
    base64Before: number,
    minEncodedLength: number,
    isEnd: 0 | 1,
    results: Uint32Array,
  ) => number;
  /**
   * Lists the candidates that wait for more bytes.
   *
   * @param keptLength the number of bytes that `find` has kept
   * @param numbers gets two numbers for each candidate: those of {@link Beginning}
   * @returns the number of candidates
   */
  readonly listCandidates: (candidates: Uint8Array, keptLength: number, numbers: Int32Array) => number;
  /** Copies the matches of the last `find`: five numbers for each (compiled-search.ts). */
  readonly takeMatches: (matches: Int32Array) => void;
}
