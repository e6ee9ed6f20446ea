/**
 * Candidates: places of a stream at which a secret may have begun that is written in one encoding, such as JSON.
 *
 * At each byte with which an escape may begin, the search (steps.ts) creates a candidate for each encoding. The
 * candidate starts at the automaton's current node, decodes the bytes that follow, and moves from node to node by the
 * decoded bytes. It ends once no secret continues with them. If an escape can be decoded in two ways, a copy of the
 * candidate follows the second one. `WaitingCandidates` holds the candidates that need more bytes.
 *
 * native/masking/candidate.inc does the same in C.
 */
import type { Automaton } from "./automaton.ts";
import type { Unit } from "./encodings/decoder.ts";
import type { Encoding } from "./encodings/encodings.ts";
import { NEWLINE, RETURN } from "./escapes.ts";
import { MAX_CANDIDATES, ROOT, type OnMatch } from "./masking-model.ts";

/**
 * The limit of units in a row that stand for no byte, such as quotes that close and open again: `'"'"''"'"'`. (A unit
 * is an escape, or a byte that stands for itself.)
 */
export const MAX_EMPTY_UNITS = 4;
/** The limit of stored offsets in one candidate. Then it forgets the offsets at which no match can begin any more. */
const MAX_UNIT_OFFSETS = 4096;

/** A possible beginning of a secret that is written in one encoding. All offsets are in the stream, in bytes. */
export class Candidate {
  readonly encoding: Encoding;
  /** The offset of the next byte to read. */
  position: number;
  /** The automaton's node after the decoded bytes. */
  node: number;
  private readonly automaton: Automaton;
  /** The offset at which the candidate was created. Bytes before it stand for themselves. */
  private readonly createdAt: number;
  /** The offset of the last byte with which an escape can begin. The plain search finds secrets without such a byte. */
  private lastEscape = -1;
  /** The offset of the last escape that stands for other bytes than its own. */
  private lastDecoded = -1;
  /** The offset of the last escape that only shells write. It may be before a match. */
  private lastShell = -1;
  /** For each decoded byte from `createdAt` on, the offset of the unit that it comes from. */
  private unitOffsets: number[] = [];
  /** The number of units in a row, up to the last one, that stand for no byte. */
  private emptyUnits = 0;
  /** True if the last decoded byte is a carriage return. */
  private isAfterReturn = false;

  constructor(encoding: Encoding, automaton: Automaton, position: number, node: number) {
    this.encoding = encoding;
    this.automaton = automaton;
    this.position = position;
    this.createdAt = position;
    this.node = node;
  }

  copy(): Candidate {
    const copy = new Candidate(this.encoding, this.automaton, this.position, this.node);
    Object.assign(copy, this);
    copy.unitOffsets = [...this.unitOffsets];
    return copy;
  }

  /**
   * Returns true if this candidate will find every match that another one will find, so that the other one is not
   * needed. Both must wait for the same byte, and this one must have read at least the same decoded bytes, from the
   * same start or before.
   */
  covers(other: Candidate): boolean {
    const { automaton, encoding, position, node, emptyUnits, isAfterReturn } = this;
    if (encoding !== other.encoding || position !== other.position) return false;
    if (emptyUnits !== other.emptyUnits || isAfterReturn !== other.isAfterReturn) return false;
    if (node === other.node) return this.start <= other.start;
    const otherDepth = automaton.findDepth(other.node);
    return (
      this.lastEscape >= other.lastEscape &&
      this.lastDecoded >= other.lastDecoded &&
      automaton.findDepth(node) > otherDepth &&
      this.findLastUnitStart(otherDepth) <= other.start &&
      automaton.shorten(node, otherDepth) === other.node
    );
  }

  /** Returns true if the last `length` decoded bytes may begin a secret, and stand for themselves. */
  hasReadPlain(length: number): boolean {
    return this.automaton.findDepth(this.node) >= length && this.findLastUnitStart(length) === this.position - length;
  }

  /** The offset at which the secret would begin. */
  get start(): number {
    return this.findLastUnitStart(this.automaton.findDepth(this.node));
  }

  /**
   * Reads one unit.
   *
   * @param firstByte the unit's first encoded byte
   * @returns false if no secret continues with the unit
   */
  readUnit(unit: Unit, firstByte: number, onMatch: OnMatch): boolean {
    const unitStart = this.position;
    this.position += unit.length;
    this.emptyUnits = unit.bytes.length === 0 ? this.emptyUnits + 1 : 0;
    if (this.encoding.starts.includes(firstByte)) {
      this.lastEscape = unitStart;
      const isLiteral = unit.length === 1 && unit.bytes[0] === firstByte && firstByte !== RETURN;
      if (!isLiteral) this.lastDecoded = unitStart;
    }
    if (unit.isShell === true) this.lastShell = unitStart;
    for (const byte of unit.bytes) this.readDecoded(byte, unitStart, onMatch);
    return this.canContinue() && this.emptyUnits <= MAX_EMPTY_UNITS;
  }

  /**
   * Reads plain bytes, up to the next byte with which an escape may begin.
   *
   * @param streamOffset the offset of the first of the bytes in the stream
   * @returns false if no secret continues with them
   */
  readPlain(bytes: Uint8Array, streamOffset: number, onMatch: OnMatch): boolean {
    const { escapes } = this.automaton;
    const { starts } = this.encoding;
    for (let index = this.position - streamOffset; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      if (escapes[byte] !== 0 && starts.includes(byte)) break;
      this.position += 1;
      this.emptyUnits = 0;
      this.readDecoded(byte, this.position - 1, onMatch);
      if (!this.canContinue()) return false;
    }
    return true;
  }

  /** Moves to the next node by one decoded byte, and reports the match that ends with this byte. */
  private readDecoded(byte: number, unitStart: number, onMatch: OnMatch): void {
    const { automaton } = this;
    // Patterns have LF for each line end. So CR is read as LF, and the LF of CR LF is ignored.
    const isSecondHalf = this.isAfterReturn && byte === NEWLINE;
    this.isAfterReturn = byte === RETURN;
    if (isSecondHalf) return;
    this.node = automaton.nextNode(this.node, byte === RETURN ? NEWLINE : byte);
    this.unitOffsets.push(unitStart);
    const length = automaton.matchLengthAt(this.node);
    if (length === 0) return;
    const start = this.findLastUnitStart(length);
    // A match without a decoded escape is plain text, which the plain search reports.
    if (start <= this.lastDecoded) onMatch(start, this.position, this.node, this.encoding, start <= this.lastShell);
  }

  /** Returns false if the decoded bytes begin no secret, or only one without an escape in it. */
  private canContinue(): boolean {
    if (this.unitOffsets.length > MAX_UNIT_OFFSETS) {
      this.unitOffsets = this.unitOffsets.slice(-this.automaton.findDepth(this.node) - 1);
    }
    return this.node !== ROOT && this.start <= this.lastEscape;
  }

  /** Returns the offset at which the last `length` decoded bytes begin. */
  private findLastUnitStart(length: number): number {
    const index = this.unitOffsets.length - length;
    // A negative index means that they begin before the candidate was created, where each byte stands for itself.
    return index >= 0 ? (this.unitOffsets[index] ?? this.position) : this.createdAt + index;
  }
}

/** The candidates that cannot continue yet: the search has not reached their byte, or an escape is not complete. */
export class WaitingCandidates {
  private candidates: Candidate[] = [];

  get isEmpty(): boolean {
    return this.candidates.length === 0;
  }

  list(): readonly Candidate[] {
    return this.candidates;
  }

  /** Adds a candidate in place of those that it covers. Drops it if another one covers it, or at the limit. */
  add(candidate: Candidate): void {
    for (let index = 0; index < this.candidates.length;) {
      const other = this.candidates[index];
      if (other?.covers(candidate) === true) return;
      if (other !== undefined && candidate.covers(other)) this.candidates.splice(index, 1);
      else index += 1;
    }
    if (this.candidates.length < MAX_CANDIDATES) this.candidates.push(candidate);
  }

  takeAll(): readonly Candidate[] {
    return this.candidates.splice(0);
  }

  /** Takes the candidates that wait for the byte at an offset. */
  takeAt(offset: number): readonly Candidate[] {
    const taken = this.candidates.filter(({ position }) => position === offset);
    if (taken.length > 0) this.candidates = this.candidates.filter(({ position }) => position !== offset);
    return taken;
  }

  /** Returns the offset at which the first of the secrets would begin, at most `limit`. */
  earliestStart(limit: number): number {
    return this.candidates.reduce((earliest, { start }) => Math.min(earliest, start), limit);
  }
}
