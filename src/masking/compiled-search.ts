/**
 * Calls the search that is compiled from C (native/masking/*.inc): passes the tables of the automaton and the state of
 * one stream to it, and reads the matches from its memory. finder.ts uses this if the addon is available, and otherwise
 * steps.ts.
 */
import { ENCODINGS, PLAIN } from "./encodings/encodings.ts";
import {
  MAX_CANDIDATES,
  ROOT,
  type Beginning,
  type CompiledSearch,
  type OnMatch,
  type SearchEnd,
  type SearchTables,
} from "./masking-model.ts";

/**
 * The positions of the numbers of one match, as `take_matches` in native/masking/finder.inc writes them. `size` is
 * their count.
 */
const MATCH = { start: 0, end: 1, node: 2, encoding: 3, isShell: 4, size: 5 } as const;

/** The bytes of a stream to search, and the state after the bytes before them. */
export interface CompiledSearchRequest {
  readonly bytes: Uint8Array;
  /** The number of the first bytes that were searched before. */
  readonly readLength: number;
  /** The automaton's node after those bytes. */
  readonly node: number;
  /** The memory of the stream's candidates; undefined if there are none. */
  readonly candidates: Uint8Array | undefined;
  /** The number of base64 characters directly before the first byte, up to LINE_WIDTH. */
  readonly base64Before: number;
  /** See {@link CompiledSearch.find}. */
  readonly minEncodedLength: number;
  /** True if the stream ends after these bytes. */
  readonly isEnd: boolean;
}

export interface CompiledMatches extends SearchEnd {
  /** The memory of the candidates that wait for more bytes; undefined if there are none. */
  readonly candidates: Uint8Array | undefined;
  /** The numbers of {@link MATCH} for each match. Offsets are indexes of the bytes. */
  readonly matches: Int32Array;
}

/** The compiled search for the patterns of one automaton. Any number of streams may use it. */
export class PreparedSearch {
  private readonly search: CompiledSearch;
  private readonly handle: Uint8Array;
  private readonly window: number;
  /** Memory for candidates that no stream uses. It is large, so that it is kept for the next chunk of any stream. */
  private spareCandidates: Uint8Array | undefined;

  /** @param window the length of the shortest pattern */
  constructor(search: CompiledSearch, tables: SearchTables, window: number) {
    this.search = search;
    this.handle = search.prepareSearch(...tables);
    this.window = window;
  }

  /** Searches the bytes of a request. @throws RangeError if there is no memory for the matches */
  find(request: CompiledSearchRequest): CompiledMatches {
    const { bytes, readLength, node, base64Before, minEncodedLength } = request;
    const { search, handle, window } = this;
    const candidates = request.candidates ?? this.spareCandidates ?? search.newCandidates();
    if (candidates === this.spareCandidates) this.spareCandidates = undefined;
    const results = new Uint32Array(4);
    const isEnd = request.isEnd ? 1 : 0;
    const error = search.find(
      handle,
      candidates,
      bytes,
      readLength,
      node,
      window,
      base64Before,
      minEncodedLength,
      isEnd,
      results,
    );
    if (error !== 0) throw new RangeError("no memory for what masking has found");
    const [lastNode = ROOT, keepFrom = 0, candidateCount = 0, matchCount = 0] = results;
    const matches = new Int32Array(matchCount * MATCH.size);
    if (matchCount > 0) search.takeMatches(matches);
    if (candidateCount === 0) this.spareCandidates = candidates;
    return { candidates: candidateCount === 0 ? undefined : candidates, node: lastNode, keepFrom, matches };
  }

  /**
   * Returns the beginnings that candidates of a stream have read.
   *
   * @param keptLength the number of bytes that the stream has kept
   */
  beginnings(candidates: Uint8Array, keptLength: number): readonly Beginning[] {
    const numbers = new Int32Array(2 * MAX_CANDIDATES);
    const count = this.search.listCandidates(candidates, keptLength, numbers);
    return Array.from({ length: count }, (_, index) => ({
      node: numbers[2 * index] ?? ROOT,
      undecided: numbers[2 * index + 1] ?? 0,
    }));
  }
}

/**
 * Reports the matches of a compiled search.
 *
 * @param numbers the numbers of {@link MATCH} for each match
 * @param streamOffset the offset in the stream of the first byte that was searched
 * @param hasEncodings false if the search has joined matches of several encodings: they are reported as plain ones
 */
export function reportMatches(
  numbers: Int32Array,
  streamOffset: number,
  hasEncodings: boolean,
  onMatch: OnMatch,
): void {
  for (let first = 0; first < numbers.length; first += MATCH.size) {
    const start = streamOffset + (numbers[first + MATCH.start] ?? 0);
    const end = streamOffset + (numbers[first + MATCH.end] ?? 0);
    const node = numbers[first + MATCH.node] ?? ROOT;
    // The number of an encoding is its index in ENCODINGS. Plain text has a number that is no index.
    const encoding = hasEncodings ? (ENCODINGS[numbers[first + MATCH.encoding] ?? -1] ?? PLAIN) : PLAIN;
    onMatch(start, end, node, encoding, numbers[first + MATCH.isShell] === 1);
  }
}
