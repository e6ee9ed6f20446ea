/** The search for patterns in one stream, step by step, for where native/masking/finder.inc is not compiled; pure. */
import { ROOT, SHALLOW, type Automaton } from "./automaton.ts";
import { Candidate, WaitingCandidates, type OnMatch } from "./candidate.ts";
import { END, MORE, type Unit } from "./encodings/decoder.ts";
import { ENCODINGS, JSON_STRING, LINE_ENDS, PLAIN, WRAPPED, type Encoding } from "./encodings/encodings.ts";
import { base64Before, endsEscapedLine, ESCAPE, LINE_BREAK, LINE_WIDTH, RETURN } from "./escapes.ts";
import type { Beginning } from "./masking-model.ts";

/** The bytes that are read at once. */
export interface Passage {
  readonly bytes: Uint8Array;
  /** The offset of the first one in the stream. */
  readonly base: number;
  /** The number of bytes that were read before: candidates that wait, and the node, are behind them. */
  readonly before: number;
  /** The number of characters of base64 before the first byte, up to {@link LINE_WIDTH}. */
  readonly run: number;
  /** The stream ends here. */
  readonly isEnd: boolean;
}

const NO_PASSAGE: Passage = { bytes: new Uint8Array(), base: 0, before: 0, run: 0, isEnd: false };

const BY_START: readonly (readonly Encoding[])[] = Array.from({ length: 256 }, (_, byte) =>
  ENCODINGS.filter(({ starts }) => starts.includes(byte)),
);

export class StepSearch {
  private waiting = new WaitingCandidates();
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

  /** Returns what the candidates have read. @param end the offset of the stream's end so far */
  beginnings(end: number): readonly Beginning[] {
    return this.waiting.list().map(({ node, at }) => ({ node, undecided: end - at }));
  }

  /** @param node of the bytes before @returns the node of the last byte, and the index of the first byte to keep */
  read(passage: Passage, node: number): { readonly node: number; readonly from: number } {
    const { bytes, base, before } = passage;
    this.passage = passage;
    for (const candidate of this.waiting.takeAll()) this.step(candidate, base + before);
    const last = this.readPlain(before, node);
    const start = base + bytes.length - this.automaton.depthOf(last);
    this.passage = NO_PASSAGE;
    return { node: last, from: this.waiting.earliestStart(start) - base };
  }

  /** Lets copies of the candidates read to the end of the stream. */
  finish(passage: Passage): void {
    const { waiting } = this;
    this.passage = passage;
    this.waiting = new WaitingCandidates();
    for (const candidate of waiting.list()) this.step(candidate.copy(), passage.base + passage.before);
    this.waiting = waiting;
    this.passage = NO_PASSAGE;
  }

  /** Follows the plain bytes through the automaton, and begins a candidate at each escape. @returns the last node */
  private readPlain(from: number, firstNode: number): number {
    const { automaton, onMatch, waiting } = this;
    const { bytes, base, run } = this.passage;
    const { escapes } = automaton;
    const lastWindow = bytes.length - automaton.window;
    let node = firstNode;
    let depth = automaton.depthOf(node);
    let index = from;
    while (true) {
      if (waiting.isEmpty) {
        if (node === ROOT) index = automaton.skip(bytes, index, run);
        else {
          ({ node, index } = automaton.follow(node, bytes, index));
          depth = automaton.depthOf(node);
        }
      }
      if (index >= bytes.length) return node;
      const byte = bytes[index] ?? 0;
      const kind = escapes[byte];
      // Most line breaks stand neither in base64 nor in what a candidate reads.
      if (kind === ESCAPE || (kind === LINE_BREAK && (!waiting.isEmpty || this.isBase64LineEnd(index))))
        this.readEscaped(byte, index, node);
      node = automaton.next(node, byte);
      index += 1;
      const former = depth;
      depth = automaton.depthOf(node);
      const size = automaton.matchLengthAt(node);
      if (size !== 0) onMatch(base + index - size, base + index, node, PLAIN, false);
      // The pattern did not continue, and the one that may begin in its place is still short: skipping is faster.
      const again = index - depth;
      if (depth <= former && depth <= SHALLOW && again >= 0 && again <= lastWindow && waiting.isEmpty) {
        if (isPlain(bytes, again, index, escapes)) {
          index = again;
          node = ROOT;
          depth = 0;
        }
      }
    }
  }

  private isBase64LineEnd(index: number): boolean {
    return base64Before(this.passage.bytes, index, this.passage.run) >= LINE_WIDTH;
  }

  /** Steps the candidates that wait for a byte, and adds those that can begin with an escape there. */
  private readEscaped(byte: number, index: number, node: number): void {
    const { automaton } = this;
    const at = this.passage.base + index;
    const current = this.waiting.takeAt(at);
    const depth = automaton.depthOf(node);
    const begun: Candidate[] = [];
    for (const encoding of BY_START[byte] ?? []) {
      const before = depth === 0 ? ROOT : automaton.shortened(node, this.depthWithout(encoding, index, depth));
      // An older candidate has read the bytes before as well, unless the first of them are the end of its last escape.
      if (!hasRead(current, encoding, automaton.depthOf(before)))
        begun.push(new Candidate(encoding, automaton, at, before));
    }
    for (const candidate of current) this.step(candidate, at + 1);
    for (const candidate of begun) this.step(candidate, at + 1);
  }

  /** Counts the bytes before an escape that an encoder would not have escaped. */
  private depthWithout({ special }: Encoding, index: number, most: number): number {
    const { bytes } = this.passage;
    const { escapes } = this.automaton;
    let depth = 0;
    while (depth < most) {
      const byte = bytes[index - depth - 1] ?? 0;
      if (special.has(byte) && escapes[byte] !== 0) break;
      depth += 1;
    }
    return depth;
  }

  /** Lets a candidate read to the first escape from `to` on. Keeps it if it may still become a secret. */
  private step(candidate: Candidate, to: number): void {
    if (this.readOn(candidate, to)) this.waiting.add(candidate);
  }

  /** @returns false if no secret continues so */
  private readOn(candidate: Candidate, to: number): boolean {
    const { onMatch } = this;
    const { bytes, base } = this.passage;
    const end = Math.min(to, base + bytes.length);
    for (;;) {
      if (!candidate.acceptPlain(bytes, base, onMatch)) return false;
      if (candidate.at >= end) return true;
      const index = candidate.at - base;
      const first = bytes[index] ?? 0;
      const units = this.unitsAt(index, candidate.encoding);
      if (units === undefined) return true;
      const [unit, ...others] = units;
      for (const other of others) {
        const copy = candidate.copy();
        if (copy.accept(other, first, onMatch)) this.step(copy, to);
      }
      if (unit === undefined || !candidate.accept(unit, first, onMatch)) return false;
    }
  }

  /** @returns the readings of an escape, the likeliest first; undefined if more bytes decide */
  private unitsAt(index: number, encoding: Encoding): readonly Unit[] | undefined {
    const { bytes, isEnd } = this.passage;
    if (encoding === LINE_ENDS) return [{ length: 1, bytes: [RETURN] }];
    if (encoding === WRAPPED) return [{ length: 1, bytes: this.isBase64LineEnd(index) ? [] : [bytes[index] ?? 0] }];
    const units = encoding.decoder?.decode((offset) => bytes[index + offset] ?? (isEnd ? END : MORE));
    if (encoding === JSON_STRING && units !== undefined && endsEscapedLine(bytes, index, this.passage.run)) {
      return [...units, { length: 2, bytes: [] }];
    }
    return isEnd ? units?.filter(({ length }) => index + length <= bytes.length) : units;
  }
}

function hasRead(candidates: readonly Candidate[], encoding: Encoding, depth: number): boolean {
  for (const candidate of candidates) {
    if (candidate.encoding === encoding && (depth === 0 || candidate.hasReadPlain(depth))) return true;
  }
  return false;
}

function isPlain(bytes: Uint8Array, from: number, to: number, escapes: Uint8Array): boolean {
  for (let at = from; at < to; at++) if (escapes[bytes[at] ?? 0] !== 0) return false;
  return true;
}
