/**
 * Candidates: possible beginnings of secrets that are escaped in one encoding.
 *
 * The plain search creates a candidate at each byte with which an escape may begin, one for each encoding. A candidate copies the
 * automaton's node, decodes what follows, and leads the automaton on by the decoded bytes. It ends once no secret continues with
 * them. If an escape has two readings, a copy of the candidate follows the second. Candidates between two steps are in
 * `WaitingCandidates`.
 *
 * native/masking/candidate.inc does the same in C.
 */
import type { Automaton } from "./automaton.ts";
import type { Unit } from "./encodings/decoder.ts";
import type { Encoding } from "./encodings/encodings.ts";
import { NEWLINE, RETURN } from "./escapes.ts";
import { MAX_CANDIDATES, ROOT, type OnMatch } from "./masking-model.ts";

/** Limit on units in a row that stand for no byte: quotes that close and open again, as in `'"'"''"'"'`. */
export const MAX_EMPTY_UNITS = 4;
/** Limit on the stored offsets of one candidate. Above it the offsets are dropped at which no match can begin any more. */
const MAX_UNIT_OFFSETS = 4096;

/** The possible beginning of a secret that is escaped in one encoding. Offsets are counted in bytes of the stream. */
export class Candidate {
  readonly encoding: Encoding;
  /** The offset of the next byte to read. */
  position: number;
  /** The automaton's node after the decoded bytes. */
  node: number;
  private readonly automaton: Automaton;
  /** The offset at which the candidate was created. Each byte before it stands for itself. */
  private readonly createdAt: number;
  /** The offset of the last byte with which an escape can begin. A secret without such a byte is found by the plain search. */
  private lastEscape = -1;
  /** The offset of the last escape that stands for something else than its own bytes. */
  private lastDecoded = -1;
  /** The offset of the last escape that only shells write. One before a match is no part of the match. */
  private lastShell = -1;
  /** For each decoded byte from `createdAt` on: the offset of the unit that contains it. */
  private unitOffsets: number[] = [];
  /** The number of units in a row, up to the last one, that stand for no byte. */
  private emptyUnits = 0;
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
   * Returns true if this candidate finds every match that another one finds: both wait for the same byte, and this one has read
   * the same decoded bytes or more of them, from an earlier start on.
   */
  covers(other: Candidate): boolean {
    const { automaton, encoding, position, node, emptyUnits, isAfterReturn } = this;
    if (encoding !== other.encoding || position !== other.position) return false;
    if (emptyUnits !== other.emptyUnits || isAfterReturn !== other.isAfterReturn) return false;
    if (node === other.node) return this.start <= other.start;
    const otherDepth = automaton.depthOf(other.node);
    return (
      this.lastEscape >= other.lastEscape &&
      this.lastDecoded >= other.lastDecoded &&
      automaton.depthOf(node) > otherDepth &&
      this.startOfLast(otherDepth) <= other.start &&
      automaton.shorten(node, otherDepth) === other.node
    );
  }

  /** Returns true if the last `length` decoded bytes stand for themselves, and may begin a secret. */
  hasReadPlain(length: number): boolean {
    return this.automaton.depthOf(this.node) >= length && this.startOfLast(length) === this.position - length;
  }

  /** The offset at which the secret would begin. */
  get start(): number {
    return this.startOfLast(this.automaton.depthOf(this.node));
  }

  /** Reads one unit. @param firstByte the unit's first encoded byte @returns false if no secret continues with the unit */
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

  /** Leads the automaton on by one decoded byte, and reports the match that ends there. */
  private readDecoded(byte: number, unitStart: number, onMatch: OnMatch): void {
    const { automaton } = this;
    // Patterns have LF for each line end: a CR is read as LF, and an LF behind it is ignored.
    const isSecondHalf = this.isAfterReturn && byte === NEWLINE;
    this.isAfterReturn = byte === RETURN;
    if (isSecondHalf) return;
    this.node = automaton.nextNode(this.node, byte === RETURN ? NEWLINE : byte);
    this.unitOffsets.push(unitStart);
    const length = automaton.matchLengthAt(this.node);
    if (length === 0) return;
    const start = this.startOfLast(length);
    // Without a decoded escape in it, the match is plain, and the plain search reports it.
    if (start <= this.lastDecoded) onMatch(start, this.position, this.node, this.encoding, start <= this.lastShell);
  }

  /** Returns false if no secret with an escape in it can end behind the decoded bytes. */
  private canContinue(): boolean {
    if (this.unitOffsets.length > MAX_UNIT_OFFSETS) {
      this.unitOffsets = this.unitOffsets.slice(-this.automaton.depthOf(this.node) - 1);
    }
    return this.node !== ROOT && this.start <= this.lastEscape;
  }

  /** Returns the offset at which the last `length` decoded bytes begin. */
  private startOfLast(length: number): number {
    const index = this.unitOffsets.length - length;
    // Further bytes are before the candidate's creation, where each stands for itself.
    return index >= 0 ? (this.unitOffsets[index] ?? this.position) : this.createdAt + index;
  }
}

/** The candidates that wait for a byte: one with which an escape may begin, or the next one of an escape that is incomplete. */
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
