import { MOST_CANDIDATES, ROOT, type Automaton } from "./automaton.ts";
import type { Unit } from "./encodings/decoder.ts";
import type { Encoding } from "./encodings/encodings.ts";
import { NEWLINE, RETURN } from "./escapes.ts";

export type OnMatch = (start: number, end: number, node: number, encoding: Encoding, isShell: boolean) => void;

/** Limit on units in a row that stand for no byte: quotes that close and open again, as in `'"'"''"'"'`. */
export const MOST_EMPTY_UNITS = 4;
/** Limit on stored offsets; above it those are dropped with which no match can begin. */
const MOST_ORIGINS = 4096;

/** The possible beginning of a secret that is escaped in one encoding. Offsets are counted in bytes of the stream. */
export class Candidate {
  readonly encoding: Encoding;
  at: number;
  node: number;
  private readonly automaton: Automaton;
  /** The offset of the last byte with which an escape can begin; without one the plain search finds the secret. */
  private lastEscape = -1;
  /** The offset of the last escape that stands for something else. */
  private lastDecoded = -1;
  /** Up to here each byte stands for itself. */
  private from: number;
  /** For each decoded byte behind that, the offset of its unit. */
  private origins: number[] = [];
  private emptyUnits = 0;
  private isAfterReturn = false;
  /** The offset of the last escape that shells alone write. One before a match is not part of it. */
  private lastShell = -1;

  constructor(encoding: Encoding, automaton: Automaton, at: number, node: number) {
    this.encoding = encoding;
    this.automaton = automaton;
    this.at = at;
    this.from = at;
    this.node = node;
  }

  copy(): Candidate {
    const other = new Candidate(this.encoding, this.automaton, this.at, this.node);
    Object.assign(other, this);
    other.origins = [...this.origins];
    return other;
  }

  /**
   * Returns true if this one finds all that another does: both wait for the same byte, and this one has read the same decoded
   * bytes or more, from an earlier start on.
   */
  covers(other: Candidate): boolean {
    const { automaton, encoding, at, node, emptyUnits, isAfterReturn } = this;
    if (encoding !== other.encoding || at !== other.at) return false;
    if (emptyUnits !== other.emptyUnits || isAfterReturn !== other.isAfterReturn) return false;
    if (node === other.node) return this.start <= other.start;
    const depth = automaton.depthOf(other.node);
    return (
      this.lastEscape >= other.lastEscape &&
      this.lastDecoded >= other.lastDecoded &&
      automaton.depthOf(node) > depth &&
      this.startOf(depth) <= other.start &&
      automaton.shortened(node, depth) === other.node
    );
  }

  /** Returns true if the last `depth` bytes that were read stand for themselves, and may begin a secret. */
  hasReadPlain(depth: number): boolean {
    return this.automaton.depthOf(this.node) >= depth && this.startOf(depth) === this.at - depth;
  }

  get start(): number {
    return this.startOf(this.automaton.depthOf(this.node));
  }

  /** @param first the unit's first encoded byte @returns false if no secret continues with it */
  accept(unit: Unit, first: number, onMatch: OnMatch): boolean {
    const begin = this.at;
    this.at += unit.length;
    this.emptyUnits = unit.bytes.length === 0 ? this.emptyUnits + 1 : 0;
    if (this.encoding.starts.includes(first)) {
      this.lastEscape = begin;
      if (unit.length > 1 || unit.bytes[0] !== first || first === RETURN) this.lastDecoded = begin;
    }
    if (unit.isShell === true) this.lastShell = begin;
    for (const byte of unit.bytes) this.read(byte, begin, onMatch);
    return this.isAlive() && this.emptyUnits <= MOST_EMPTY_UNITS;
  }

  /** Reads plain bytes, up to the next possible escape. @returns false if no secret continues with them */
  acceptPlain(bytes: Uint8Array, base: number, onMatch: OnMatch): boolean {
    const { escapes } = this.automaton;
    const { starts } = this.encoding;
    for (let index = this.at - base; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      if (escapes[byte] !== 0 && starts.includes(byte)) break;
      this.at += 1;
      this.emptyUnits = 0;
      this.read(byte, this.at - 1, onMatch);
      if (!this.isAlive()) return false;
    }
    return true;
  }

  private read(byte: number, begin: number, onMatch: OnMatch): void {
    const { automaton } = this;
    const isSecondHalf = this.isAfterReturn && byte === NEWLINE;
    this.isAfterReturn = byte === RETURN;
    // Patterns have LF for each line end.
    if (isSecondHalf) return;
    this.node = automaton.next(this.node, byte === RETURN ? NEWLINE : byte);
    this.origins.push(begin);
    const length = automaton.matchLengthAt(this.node);
    if (length === 0) return;
    const start = this.startOf(length);
    if (start <= this.lastDecoded) onMatch(start, this.at, this.node, this.encoding, start <= this.lastShell);
  }

  private isAlive(): boolean {
    if (this.origins.length > MOST_ORIGINS) {
      this.origins = this.origins.slice(-this.automaton.depthOf(this.node) - 1);
    }
    return this.node !== ROOT && this.start <= this.lastEscape;
  }

  private startOf(length: number): number {
    const index = this.origins.length - length;
    return index >= 0 ? (this.origins[index] ?? this.at) : this.from + index;
  }
}

/** The candidates that wait for a byte, with which an escape begins or that has not come yet. */
export class WaitingCandidates {
  private candidates: Candidate[] = [];

  get isEmpty(): boolean {
    return this.candidates.length === 0;
  }

  list(): readonly Candidate[] {
    return this.candidates;
  }

  /** Adds a candidate unless another one covers it, in place of those that it covers. */
  add(candidate: Candidate): void {
    for (let index = 0; index < this.candidates.length;) {
      const other = this.candidates[index];
      if (other?.covers(candidate) === true) return;
      if (other !== undefined && candidate.covers(other)) this.candidates.splice(index, 1);
      else index += 1;
    }
    if (this.candidates.length < MOST_CANDIDATES) this.candidates.push(candidate);
  }

  takeAll(): readonly Candidate[] {
    return this.candidates.splice(0);
  }

  /** Takes those that wait for the byte at an offset. */
  takeAt(offset: number): readonly Candidate[] {
    const taken = this.candidates.filter(({ at }) => at === offset);
    if (taken.length > 0) this.candidates = this.candidates.filter(({ at }) => at !== offset);
    return taken;
  }

  /** Returns the offset at which the first secret may begin, at most `most`. */
  earliestStart(most: number): number {
    return this.candidates.reduce((least, { start }) => Math.min(least, start), most);
  }
}
