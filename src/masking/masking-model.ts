/**
 * The types and constants that several files of masking share, among them the interface of the compiled search in C.
 */
import type { Encoding } from "./encodings/encodings.ts";

/** The node of the automaton at which no pattern has begun: its prefix is empty. */
export const ROOT = 0;

/**
 * The limit of candidates (candidate.ts) in one stream. It keeps the time linear for secrets that were made to slow the
 * search. Usual secrets have at most eight candidates in one encoding, so that none is lost.
 */
export const MAX_CANDIDATES = 128;

/** A value that must not appear in outputs. */
export interface Secret {
  /** The name of the variable. */
  readonly name: string;
  readonly value: string | Uint8Array;
}

/**
 * The state that a masker hands to another masker, which continues the same stream with other secrets or in another
 * process.
 */
export interface StreamState {
  /** The last bytes of the stream so far, from the first byte on with which a secret may have begun. */
  readonly keptBytes: Uint8Array;
  /** The number of last bytes that are held back: not yet written to the output. */
  readonly heldLength: number;
  /** The number of bytes after the last match that was replaced. */
  readonly lengthSinceMask: number;
  /**
   * The number of base64 characters directly before `keptBytes`. After enough of them, a line break may be within
   * base64.
   */
  readonly base64Before: number;
}

/** A possible beginning of a secret at the end of a stream. */
export interface Beginning {
  /** The automaton's node after its decoded bytes. */
  readonly node: number;
  /** The number of last bytes that belong to an escape whose end has not arrived yet. */
  readonly undecided: number;
}

/** The state of a search after some bytes. */
export interface SearchEnd {
  /** The automaton's node after the last byte. */
  readonly node: number;
  /** The index of the first byte with which a secret may have begun. The bytes from there on must be kept. */
  readonly keepFrom: number;
}

/**
 * Receives each match.
 *
 * @param start the offset of the match in the stream
 * @param end the offset after its last byte
 * @param node the automaton's node after the match. `patternAt` returns the pattern
 * @param isShell true if the match contains an escape that only shells write
 */
export type OnMatch = (start: number, end: number, node: number, encoding: Encoding, isShell: boolean) => void;

/** The tables of an automaton, in the order of `struct tables` in native/masking/search.inc. */
export type SearchTables = readonly (Uint8Array | Uint16Array | Uint32Array)[];

/** The functions of the search in C (native/masking/search.inc, decode.inc, candidate.inc and finder.inc). */
export interface CompiledSearch {
  /** Fills the tables of `PatternTables`. @param args the arguments of `build_search` in search.inc */
  readonly buildSearch: (...args: readonly (Uint8Array | Uint32Array | number)[]) => void;
  /**
   * Prepares searches by the tables of one automaton.
   *
   * @param tables the C code reads and writes their memory, so that the caller must keep them as long as the handle
   * @returns the handle for `find`
   */
  readonly prepareSearch: (...tables: SearchTables) => Uint8Array;
  /** Returns memory for the candidates (candidate.ts) of one stream. */
  readonly newCandidates: () => Uint8Array;
  /**
   * Finds the same matches as `StepSearch` (steps.ts), and stores them for `takeMatches`.
   *
   * @param readLength the number of the first bytes that were searched before
   * @param node the automaton's node after those bytes
   * @param window the length of the shortest pattern
   * @param minEncodedLength -1 to report all matches; otherwise overlapping matches are joined, and encoded matches of
   *   fewer bytes are omitted
   * @param results receives four numbers: the node after the last byte, the index of the first byte to keep, the number
   *   of candidates, and the number of matches
   * @returns 0, or an errno such as ENOMEM if matches are missing
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
   * @param keptLength the number of bytes that the caller keeps
   * @param numbers receives two numbers for each candidate: the fields of {@link Beginning}
   * @returns the number of candidates
   */
  readonly listCandidates: (candidates: Uint8Array, keptLength: number, numbers: Int32Array) => number;
  /** Copies the matches of the last `find`: five numbers for each (compiled-search.ts). */
  readonly takeMatches: (matches: Int32Array) => void;
}
