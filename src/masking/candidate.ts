import { ROOT, type Automaton } from "./automaton.ts";
import { NEWLINE, RETURN } from "./breaks.ts";
import type { Unit } from "./encodings/decoder.ts";
import type { Encoding } from "./encodings/encodings.ts";

/** Called for each match with its place in the stream, the state of the automaton, and how it is encoded. */
export type Found = (start: number, end: number, node: number, encoding: Encoding, isShell: boolean) => void;

/** So many units in a row may stand for no byte: quotes that close and open again, as in `'"'"''"'"'`. */
export const MOST_EMPTY_UNITS = 4;
/** The places of so many bytes are kept; when there are more, those that no match can begin with are dropped. */
const MOST_ORIGINS = 4096;

/** The possible beginning of a secret that is escaped in one encoding. Places are counted in bytes of the stream. */
export class Candidate {
  readonly encoding: Encoding;
  /** The place of the next unit. */
  at: number;
  node: number;
  private readonly automaton: Automaton;
  /** The place of the last byte with which an escape can begin; a beginning without one in it is found as it is. */
  private lastEscape = -1;
  /** The place of the last escape that stands for something else. */
  private lastDecoded = -1;
  /** Up to here each byte stands for itself. */
  private from: number;
  /** For each decoded byte behind that, the place where its unit begins. */
  private origins: number[] = [];
  private emptyUnits = 0;
  private isAfterReturn = false;
  private isShell = false;

  constructor(encoding: Encoding, automaton: Automaton, at: number, node: number) {
    this.encoding = encoding;
    this.automaton = automaton;
    this.at = at;
    this.from = at;
    this.node = node;
  }

  copy(): Candidate {
    const other = new Candidate(this.encoding, this.automaton, this.at, this.node);
    other.lastEscape = this.lastEscape;
    other.lastDecoded = this.lastDecoded;
    other.from = this.from;
    other.origins = [...this.origins];
    other.emptyUnits = this.emptyUnits;
    other.isAfterReturn = this.isAfterReturn;
    other.isShell = this.isShell;
    return other;
  }

  /** Returns true if both read on alike: of two such the one that began first finds all that the other does. */
  isSame(other: Candidate): boolean {
    return (
      this.encoding === other.encoding &&
      this.at === other.at &&
      this.node === other.node &&
      this.emptyUnits === other.emptyUnits &&
      this.isAfterReturn === other.isAfterReturn
    );
  }

  /** The place where what it may be the beginning of begins. */
  get start(): number {
    return this.startOf(this.automaton.depthOf(this.node));
  }

  /** Reads a unit. @param first its first byte, as it stands @returns false if no secret goes on so */
  accept(unit: Unit, first: number, found: Found): boolean {
    const begin = this.at;
    this.at += unit.length;
    this.emptyUnits = unit.bytes.length === 0 ? this.emptyUnits + 1 : 0;
    if (this.encoding.starts.includes(first)) {
      this.lastEscape = begin;
      if (unit.length > 1 || unit.bytes[0] !== first || first === RETURN) this.lastDecoded = begin;
    }
    if (unit.isShell === true) this.isShell = true;
    for (const byte of unit.bytes) this.read(byte, begin, found);
    return this.isAlive() && this.emptyUnits <= MOST_EMPTY_UNITS;
  }

  /** Reads bytes that stand for themselves, up to the next possible escape. @returns false if no secret goes on so */
  acceptPlain(bytes: Uint8Array, base: number, found: Found): boolean {
    const { escapes } = this.automaton;
    const { starts } = this.encoding;
    for (let index = this.at - base; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      if (escapes[byte] !== 0 && starts.includes(byte)) break;
      this.at += 1;
      this.emptyUnits = 0;
      this.read(byte, this.at - 1, found);
      if (!this.isAlive()) return false;
    }
    return true;
  }

  /** Reads a decoded byte of the unit that begins at a place and ends at `at`. */
  private read(byte: number, begin: number, found: Found): void {
    const { automaton } = this;
    const isSecondHalf = this.isAfterReturn && byte === NEWLINE;
    this.isAfterReturn = byte === RETURN;
    // Patterns have one line end, whatever the text has.
    if (isSecondHalf) return;
    this.node = automaton.next(this.node, byte === RETURN ? NEWLINE : byte);
    this.origins.push(begin);
    const size = automaton.foundAt(this.node);
    if (size === 0) return;
    const start = this.startOf(size);
    if (start <= this.lastDecoded) found(start, this.at, this.node, this.encoding, this.isShell);
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
