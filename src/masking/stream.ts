/**
 * Masks one stream, such as the standard output of a program: replaces the secrets in it by `***`.
 *
 * The caller creates a `Masker` for each stream, passes each chunk to `push`, and writes what `push` returns. `push`
 * holds back the last bytes if a secret may have begun with them. At the end of the stream, the caller writes what
 * `flush` returns. It does the same if the program has written nothing for a while and `revealsLittle` is true, so that
 * a prompt appears.
 *
 * Matches that overlap get one mask, so that no part of a secret is left over. Offsets are counted from the stream's
 * first byte. A byte is released when it is returned to the caller, or replaced by a mask.
 */
import type { Automaton } from "./automaton.ts";
import { Finder } from "./finder.ts";
import type { OnMatch, StreamState } from "./masking-model.ts";
import { isEncodedForm, MIN_ENCODED_LENGTH } from "./patterns.ts";
import { countCharacters, MAX_SHOWN_CHARACTERS, revealsLittle } from "./silence.ts";

const MASK = Buffer.from("***");
const NO_BYTES = new Uint8Array();

/** A part of the stream that must be replaced. */
interface MaskedRange {
  readonly start: number;
  readonly end: number;
}

export class Masker {
  /** The number of masks that were written. */
  maskCount = 0;
  private readonly getAutomaton: () => Automaton;
  private readonly finder: Finder;
  /** The matches that are not replaced yet, in their order. They do not overlap. */
  private readonly matches: MaskedRange[] = [];
  /**
   * Memory for outputs with masks, which is used in turn: the caller may still write the last output during the next
   * `push`.
   */
  private lastOutput: Buffer = Buffer.alloc(0);
  private formerOutput: Buffer = Buffer.alloc(0);
  /** The offset up to which all bytes are released. */
  private releasedEnd = 0;
  /** The offset at the end of the last match that was replaced. */
  private maskedEnd = 0;

  /**
   * @param getAutomaton is called at the first byte, so that the automaton may be built after the stream was opened
   * @param state the state of a masker that this one replaces, in the same stream
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
    // This finds the matches again that the other masker has not replaced.
    this.finder.read(keptBytes);
  }

  /**
   * The number of characters at the end of the stream with which a secret may have begun; 0 if all of them are
   * released. If some are released and others are held back, all are counted, since together they show more of the
   * secret.
   */
  get heldCharacters(): number {
    const { keptBytes, position } = this.finder;
    return this.releasedEnd < position ? countCharacters(keptBytes) : 0;
  }

  /**
   * True if the caller may write the bytes that are held back, by `flush`, after a silence. Then all bytes so far,
   * released ones included, show little of any secret that may have begun (silence.ts).
   */
  get revealsLittle(): boolean {
    const { finder, heldCharacters } = this;
    if (heldCharacters === 0 || heldCharacters > MAX_SHOWN_CHARACTERS) return false;
    // A long secret is masked in pieces. The bytes may be the rest of one whose first piece is masked: they must not
    // appear.
    if (finder.position - finder.keptBytes.length < this.maskedEnd) return false;
    const automaton = this.getAutomaton();
    return finder.beginnings().every((beginning) => revealsLittle(beginning, automaton));
  }

  /**
   * Reads a chunk, and returns the bytes that the caller may write now. They are a part of the chunk, or in memory that
   * the call after the next one overwrites.
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
    let joined: MaskedRange = { start, end };
    let next = firstOverlap;
    for (let match = matches[next]; match !== undefined && match.start < end; match = matches[++next]) {
      joined = { start: Math.min(joined.start, match.start), end: Math.max(joined.end, match.end) };
    }
    matches.splice(firstOverlap, next - firstOverlap, joined);
  }

  /**
   * Returns the bytes from `releasedEnd` up to an offset, with masks in place of matches.
   *
   * @param decidedEnd the offset up to which it is decided which bytes are secrets
   * @param chunk the last bytes of the stream so far
   * @param bytesBefore the bytes directly before the chunk, at least those that are held back
   */
  private release(decidedEnd: number, chunk: Uint8Array, bytesBefore: Uint8Array): Uint8Array {
    const { matches } = this;
    const chunkStart = this.finder.position - chunk.length;
    if (this.releasedEnd >= chunkStart && matches.length === 0) {
      // Nothing is replaced, and no bytes of earlier chunks are held back. So a view of the chunk is enough.
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
      // A match that begins inside the last masked one shares its mask, unless bytes after that mask were released
      // meanwhile.
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

  /** Copies the bytes from `releasedEnd` up to an offset into the output, at an index. @returns their number */
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

  /** Returns memory for an output: that of the output before the last one if it is large enough. */
  private nextOutput(minLength: number): Buffer {
    const output = this.formerOutput.length < minLength ? Buffer.allocUnsafe(minLength) : this.formerOutput;
    this.formerOutput = this.lastOutput;
    this.lastOutput = output;
    return output;
  }
}
