/**
 * Masks one stream: replaces the secrets in it by `***`.
 *
 * The caller creates a `Masker` for each stream, passes each chunk to `push`, and writes what `push` returns. `push` holds back
 * bytes with which a secret may have begun, and matches behind them, since these may be part of that secret. At the end, and after
 * a silence if `revealsLittle`, the caller writes what `flush` returns.
 *
 * Matches that overlap get one mask, so that no end of a secret is left over. Offsets are counted from the stream's first byte.
 */
import type { Automaton } from "./automaton.ts";
import { Finder } from "./finder.ts";
import type { OnMatch, StreamState } from "./masking-model.ts";
import { isEncodedForm, MIN_ENCODED_LENGTH } from "./patterns.ts";
import { countCharacters, MAX_SHOWN_CHARACTERS, revealsLittle } from "./silence.ts";

const MASK = Buffer.from("***");
const NO_BYTES = new Uint8Array();

interface Range {
  readonly start: number;
  readonly end: number;
}

export class Masker {
  /** The number of masks that were written. */
  maskCount = 0;
  private readonly getAutomaton: () => Automaton;
  private readonly finder: Finder;
  /** Matches that are not yet replaced, in order. They do not overlap. */
  private readonly matches: Range[] = [];
  /** The memory of the last output that has masks, and of the one before. They are used in turn. */
  private lastOutput: Buffer = Buffer.alloc(0);
  private formerOutput: Buffer = Buffer.alloc(0);
  /** All bytes before this offset were passed on or replaced. */
  private releasedEnd = 0;
  /** The offset behind the last match that was replaced. */
  private maskedEnd = 0;

  /**
   * @param getAutomaton is called as late as possible, so that the automaton may be built after the stream was opened
   * @param state that of another masker of the same stream, which this one replaces
   */
  constructor(getAutomaton: () => Automaton, state?: StreamState) {
    this.getAutomaton = getAutomaton;
    const onMatch: OnMatch = (start, end, _, encoding) => {
      if (isEncodedForm(encoding, end - start)) this.addMatch(start, end);
    };
    this.finder = new Finder(getAutomaton, onMatch, MIN_ENCODED_LENGTH);
    if (state === undefined) return;
    const { keptBytes, heldLength, lengthSinceMask, base64Before } = state;
    this.releasedEnd = keptBytes.length - heldLength;
    this.maskedEnd = keptBytes.length - lengthSinceMask;
    this.finder.base64Before = base64Before;
    // The search of these bytes finds again the matches that the other masker has not replaced.
    this.finder.read(keptBytes);
  }

  /**
   * The number of characters with which the stream ends and a secret may begin; 0 if none of them is held back. It includes
   * characters that were passed on: a secret that is written byte by byte is masked.
   */
  get heldCharacters(): number {
    const { keptBytes, position } = this.finder;
    return this.releasedEnd < position ? countCharacters(keptBytes) : 0;
  }

  /**
   * True if bytes are held back that the caller may pass on after a silence by `flush`: little of any secret that may have begun
   * would have appeared then, together with what was passed on before (silence.ts).
   */
  get revealsLittle(): boolean {
    const { finder, heldCharacters } = this;
    if (heldCharacters === 0 || heldCharacters > MAX_SHOWN_CHARACTERS) return false;
    // A long secret is masked in parts. If one may continue behind a mask, enough of it may have appeared already.
    if (finder.position - finder.keptBytes.length < this.maskedEnd) return false;
    const automaton = this.getAutomaton();
    return finder.beginnings().every((beginning) => revealsLittle(beginning, automaton));
  }

  /**
   * Reads a chunk, and returns the bytes that may be passed on now. Their memory is that of the chunk, or is used again by the call
   * after the next one.
   */
  push(chunk: Uint8Array): Uint8Array {
    const { finder } = this;
    const keptBytes = finder.keptBytes;
    finder.read(chunk);
    return this.release(finder.position - finder.keptBytes.length, chunk, keptBytes);
  }

  /** Returns all bytes that are held back, with masks, in new memory. The stream may continue. */
  flush(): Uint8Array {
    this.finder.finish();
    return this.release(this.finder.position, NO_BYTES, this.finder.keptBytes);
  }

  /** Returns what another masker needs to continue the stream. */
  state(): StreamState {
    const { keptBytes, position, base64Before } = this.finder;
    return {
      keptBytes,
      heldLength: Math.max(0, position - this.releasedEnd),
      lengthSinceMask: position - this.maskedEnd,
      base64Before,
    };
  }

  /** Adds a match, joined with those that it overlaps. Matches in different encodings come in any order. */
  private addMatch(start: number, end: number): void {
    const { matches } = this;
    // The masker that this one replaces has passed it on or masked it.
    if (end <= this.releasedEnd) return;
    let firstOverlap = matches.length;
    while (firstOverlap > 0 && (matches[firstOverlap - 1]?.end ?? 0) > start) firstOverlap -= 1;
    let joined: Range = { start, end };
    let next = firstOverlap;
    for (let match = matches[next]; match !== undefined && match.start < end; match = matches[++next]) {
      joined = { start: Math.min(joined.start, match.start), end: Math.max(joined.end, match.end) };
    }
    matches.splice(firstOverlap, next - firstOverlap, joined);
  }

  /**
   * Returns the bytes from `releasedEnd` up to an offset, with masks in place of matches.
   *
   * @param decidedEnd behind this offset a secret may have begun
   * @param chunk the last bytes of the stream
   * @param bytesBefore the bytes directly before the chunk: at least those that are held back
   */
  private release(decidedEnd: number, chunk: Uint8Array, bytesBefore: Uint8Array): Uint8Array {
    const { matches } = this;
    const chunkStart = this.finder.position - chunk.length;
    if (this.releasedEnd >= chunkStart && matches.length === 0) {
      // Nothing is replaced: a view of the chunk is enough.
      const start = this.releasedEnd;
      this.releasedEnd = Math.max(start, decidedEnd);
      return chunk.subarray(start - chunkStart, this.releasedEnd - chunkStart);
    }
    const maxLength = Math.max(0, decidedEnd - this.releasedEnd) + MASK.length * matches.length;
    const output = chunk.length === 0 ? Buffer.alloc(maxLength) : this.nextOutput(maxLength);
    let length = 0;
    let matchCount = 0;
    for (let match = matches[0]; match !== undefined && match.start <= decidedEnd; match = matches[++matchCount]) {
      length += this.copyTo(match.start, output, length, chunk, bytesBefore);
      // A match that begins inside the one before shares its mask, unless bytes were passed on behind that.
      if (match.start >= this.maskedEnd || this.releasedEnd > this.maskedEnd) {
        length += MASK.copy(output, length);
        this.maskCount += 1;
      }
      this.releasedEnd = Math.max(this.releasedEnd, match.end);
      this.maskedEnd = match.end;
    }
    matches.splice(0, matchCount);
    length += this.copyTo(decidedEnd, output, length, chunk, bytesBefore);
    return output.subarray(0, length);
  }

  /** Copies the bytes from `releasedEnd` up to an offset to the output. @returns their number */
  private copyTo(end: number, output: Buffer, index: number, chunk: Uint8Array, bytesBefore: Uint8Array): number {
    const start = this.releasedEnd;
    if (start >= end) return 0;
    const chunkStart = this.finder.position - chunk.length;
    const startBefore = chunkStart - bytesBefore.length;
    const partBefore = bytesBefore.subarray(
      Math.min(bytesBefore.length, start - startBefore),
      Math.max(0, end - startBefore),
    );
    const partOfChunk = chunk.subarray(Math.max(0, start - chunkStart), Math.max(0, end - chunkStart));
    output.set(partBefore, index);
    output.set(partOfChunk, index + partBefore.length);
    this.releasedEnd = end;
    return partBefore.length + partOfChunk.length;
  }

  private nextOutput(minLength: number): Buffer {
    const output = this.formerOutput.length < minLength ? Buffer.allocUnsafe(minLength) : this.formerOutput;
    this.formerOutput = this.lastOutput;
    this.lastOutput = output;
    return output;
  }
}
