/**
 * The search for secrets in one stream, in TypeScript. finder.ts uses it if the addon is not available, which has the
 * same search in C (native/masking/finder.inc).
 *
 * Each byte as it is moves the automaton from node to node: this is the plain search. At each byte with which an escape
 * may begin, one candidate for each encoding begins to decode (candidate.ts). finder.ts passes the stream in passages.
 * A passage begins with the last bytes of the passage before, if a secret may have begun with them.
 */
import { SHALLOW_DEPTH, type Automaton } from "./automaton.ts";
import { Candidate, WaitingCandidates } from "./candidate.ts";
import { END_OF_STREAM, PENDING, type Unit } from "./encodings/decoder.ts";
import { ENCODINGS, JSON_STRING, LINE_ENDS, PLAIN, WRAPPED, type Encoding } from "./encodings/encodings.ts";
import { countBase64Before, endsEscapedLine, ESCAPE, LINE_BREAK, LINE_WIDTH, RETURN } from "./escapes.ts";
import { ROOT, type Beginning, type OnMatch, type SearchEnd } from "./masking-model.ts";

/** Bytes of the stream that are searched together. */
export interface Passage {
  readonly bytes: Uint8Array;
  /** The offset of the first byte in the stream. */
  readonly streamOffset: number;
  /**
   * The number of the first bytes that were read before. The automaton's node and the waiting candidates have read
   * them.
   */
  readonly readLength: number;
  /** The number of base64 characters directly before the first byte, up to {@link LINE_WIDTH}. */
  readonly base64Before: number;
  /** True if the stream ends behind these bytes. */
  readonly isEnd: boolean;
}

const NO_PASSAGE: Passage = { bytes: new Uint8Array(), streamOffset: 0, readLength: 0, base64Before: 0, isEnd: false };

/** By byte: the encodings in which an escape may begin with it. */
const ENCODINGS_BY_START: readonly (readonly Encoding[])[] = Array.from({ length: 256 }, (_, byte) =>
  ENCODINGS.filter(({ starts }) => starts.includes(byte)),
);

export class StepSearch {
  private waiting = new WaitingCandidates();
  /** The passage that is searched. Between calls it is empty, so that the memory of the last one can be freed. */
  private passage = NO_PASSAGE;
  private readonly automaton: Automaton;
  private readonly onMatch: OnMatch;

  constructor(automaton: Automaton, onMatch: OnMatch) {
    this.automaton = automaton;
    this.onMatch = onMatch;
  }

  get hasCandidates(): boolean {
    return !this.waiting.isEmpty;
  }

  /**
   * Returns the beginnings that the waiting candidates have read.
   *
   * @param streamEnd the offset of the stream's end so far
   */
  beginnings(streamEnd: number): readonly Beginning[] {
    return this.waiting.list().map(({ node, position }) => ({ node, undecided: streamEnd - position }));
  }

  /**
   * Reports the matches that end in the passage.
   *
   * @param node the automaton's node after the bytes that were read before
   */
  read(passage: Passage, node: number): SearchEnd {
    const { bytes, streamOffset, readLength } = passage;
    this.passage = passage;
    for (const candidate of this.waiting.takeAll()) this.advance(candidate, streamOffset + readLength);
    const lastNode = this.readPlain(readLength, node);
    const plainStart = streamOffset + bytes.length - this.automaton.findDepth(lastNode);
    this.passage = NO_PASSAGE;
    return { node: lastNode, keepFrom: this.waiting.earliestStart(plainStart) - streamOffset };
  }

  /**
   * Lets copies of the candidates read to the end of the stream. The candidates themselves stay: the stream may
   * continue.
   */
  finish(passage: Passage): void {
    const { waiting } = this;
    this.passage = passage;
    this.waiting = new WaitingCandidates();
    for (const candidate of waiting.list()) this.advance(candidate.copy(), passage.streamOffset + passage.readLength);
    this.waiting = waiting;
    this.passage = NO_PASSAGE;
  }

  /**
   * Performs the plain search in the passage from an index on, and begins candidates at each escape.
   *
   * @returns the node after the last byte
   */
  private readPlain(firstIndex: number, firstNode: number): number {
    const { automaton, onMatch, waiting } = this;
    const { bytes, streamOffset, base64Before } = this.passage;
    const { escapes } = automaton;
    const lastWindowStart = bytes.length - automaton.window;
    let node = firstNode;
    let depth = automaton.findDepth(node);
    let index = firstIndex;
    while (true) {
      // Without waiting candidates, which need each byte with which an escape may begin, many bytes can be skipped at
      // once.
      if (waiting.isEmpty) {
        if (node === ROOT) index = automaton.skip(bytes, index, base64Before);
        else {
          ({ node, index } = automaton.followBranch(node, bytes, index));
          depth = automaton.findDepth(node);
        }
      }
      if (index >= bytes.length) return node;
      const byte = bytes[index] ?? 0;
      const mark = escapes[byte];
      // A line break matters only to waiting candidates, and at the end of a line of base64.
      const mayBeEscape = mark === ESCAPE || (mark === LINE_BREAK && (!waiting.isEmpty || this.endsBase64Line(index)));
      if (mayBeEscape) this.readEscape(byte, index, node);
      node = automaton.nextNode(node, byte);
      index += 1;
      const formerDepth = depth;
      depth = automaton.findDepth(node);
      const matchLength = automaton.matchLengthAt(node);
      if (matchLength !== 0) {
        const end = streamOffset + index;
        const isShell = false;
        onMatch(end - matchLength, end, node, PLAIN, isShell);
      }
      // If the pattern did not continue, and the prefix that has replaced it is short, it is faster to go back to where
      // this prefix begins, and to skip from there.
      const isShallow = depth <= formerDepth && depth <= SHALLOW_DEPTH && waiting.isEmpty;
      const restart = index - depth;
      if (isShallow && restart >= 0 && restart <= lastWindowStart && hasNoEscape(bytes, restart, index, escapes)) {
        index = restart;
        node = ROOT;
        depth = 0;
      }
    }
  }

  /** Returns true if a line of base64 characters, of the length that encoders write, ends directly before an index. */
  private endsBase64Line(index: number): boolean {
    return countBase64Before(this.passage.bytes, index, this.passage.base64Before) >= LINE_WIDTH;
  }

  /**
   * Advances the candidates that wait for a byte, and begins a candidate for each encoding in which an escape may begin
   * there.
   *
   * @param node the automaton's node before the byte
   */
  private readEscape(byte: number, index: number, node: number): void {
    const { automaton } = this;
    const offset = this.passage.streamOffset + index;
    const candidatesAtPosition = this.waiting.takeAt(offset);
    const depth = automaton.findDepth(node);
    const created: Candidate[] = [];
    for (const encoding of ENCODINGS_BY_START[byte] ?? []) {
      const startNode = depth === 0 ? ROOT : automaton.shorten(node, this.countPlainBefore(encoding, index, depth));
      // A new candidate is not needed if a waiting one has read the same bytes before the escape, each as itself.
      if (!isCovered(candidatesAtPosition, encoding, automaton.findDepth(startNode)))
        created.push(new Candidate(encoding, automaton, offset, startNode));
    }
    for (const candidate of candidatesAtPosition) this.advance(candidate, offset + 1);
    for (const candidate of created) this.advance(candidate, offset + 1);
  }

  /** Counts the bytes directly before an escape that an encoder leaves as they are, up to `limit`. */
  private countPlainBefore({ neverPlain }: Encoding, escapeIndex: number, limit: number): number {
    const { bytes } = this.passage;
    const { escapes } = this.automaton;
    let count = 0;
    while (count < limit) {
      const byte = bytes[escapeIndex - count - 1] ?? 0;
      if (neverPlain.has(byte) && escapes[byte] !== 0) break;
      count += 1;
    }
    return count;
  }

  /**
   * Lets a candidate read up to the first escape at or after an offset. There it waits, unless no secret continues so.
   */
  private advance(candidate: Candidate, minOffset: number): void {
    if (this.readCandidate(candidate, minOffset)) this.waiting.add(candidate);
  }

  /** Does the reading for `advance`. @returns false if no secret continues with what the candidate has read */
  private readCandidate(candidate: Candidate, minOffset: number): boolean {
    const { onMatch } = this;
    const { bytes, streamOffset } = this.passage;
    const waitOffset = Math.min(minOffset, streamOffset + bytes.length);
    for (;;) {
      if (!candidate.readPlain(bytes, streamOffset, onMatch)) return false;
      if (candidate.position >= waitOffset) return true;
      const index = candidate.position - streamOffset;
      const firstByte = bytes[index] ?? 0;
      const units = this.unitsAt(index, candidate.encoding);
      const mustWait = units === undefined;
      if (mustWait) return true;
      const [likeliestUnit, ...otherUnits] = units;
      for (const unit of otherUnits) {
        const copy = candidate.copy();
        if (copy.readUnit(unit, firstByte, onMatch)) this.advance(copy, minOffset);
      }
      if (likeliestUnit === undefined || !candidate.readUnit(likeliestUnit, firstByte, onMatch)) return false;
    }
  }

  /**
   * Returns the possible readings of the escape at an index, the likeliest first. The list is empty if no encoder
   * writes this.
   *
   * @returns undefined if the readings depend on bytes that have not arrived yet
   */
  private unitsAt(index: number, encoding: Encoding): readonly Unit[] | undefined {
    const { bytes, base64Before, isEnd } = this.passage;
    if (encoding === LINE_ENDS) return [{ length: 1, bytes: [RETURN] }];
    // A line break in wrapped base64 stands for nothing.
    if (encoding === WRAPPED) return [{ length: 1, bytes: this.endsBase64Line(index) ? [] : [bytes[index] ?? 0] }];
    const units = encoding.decoder?.decode((offset) => bytes[index + offset] ?? (isEnd ? END_OF_STREAM : PENDING));
    // In base64 that was broken into lines, and then written as JSON, an escaped line end stands for nothing.
    if (encoding === JSON_STRING && units !== undefined && endsEscapedLine(bytes, index, base64Before)) {
      return [...units, { length: 2, bytes: [] }];
    }
    // At the end of the stream, a reading that needs more bytes than there are is not possible.
    return isEnd ? units?.filter(({ length }) => index + length <= bytes.length) : units;
  }
}

/**
 * Returns true if a candidate of the encoding has read the last `depth` bytes, so that a new one would find nothing
 * else.
 */
function isCovered(candidates: readonly Candidate[], encoding: Encoding, depth: number): boolean {
  for (const candidate of candidates) {
    if (candidate.encoding === encoding && (depth === 0 || candidate.hasReadPlain(depth))) return true;
  }
  return false;
}

function hasNoEscape(bytes: Uint8Array, start: number, end: number, escapes: Uint8Array): boolean {
  for (let index = start; index < end; index++) if (escapes[bytes[index] ?? 0] !== 0) return false;
  return true;
}
