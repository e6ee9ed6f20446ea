import type { Automaton } from "./automaton.ts";
import type { OnMatch } from "./candidate.ts";
import { Finder } from "./finder.ts";
import { isEncodedForm, SHORTEST_FORM } from "./patterns.ts";
import type { StreamState } from "./masking-model.ts";
import { lengthOf, MOST_SHOWN, revealsLittle } from "./silence.ts";

const MASK = Buffer.from("***");
const NOTHING = new Uint8Array();

/**
 * Replaces secrets in one stream by `***`. Matches that overlap get one mask: no end of a secret is left over. Matches behind
 * the possible beginning of a secret wait, since they may be part of it. Offsets are counted from the stream's first byte.
 */
export class Masker {
  masked = 0;
  private readonly automaton: () => Automaton;
  private readonly finder: Finder;
  /** Matches that are not yet replaced, in order, joined if they overlap. */
  private readonly matches: { readonly start: number; readonly end: number }[] = [];
  /** The memory of the next output that has masks, and of the one before it. */
  private out: Buffer = Buffer.alloc(0);
  private former: Buffer = Buffer.alloc(0);
  /** All bytes before this offset were released or replaced. */
  private released = 0;
  /** The end of the last match that was replaced. */
  private covered = 0;

  constructor(automaton: () => Automaton, state?: StreamState) {
    this.automaton = automaton;
    const note: OnMatch = (start, end, _, encoding) => {
      if (isEncodedForm(encoding, end - start)) this.add(start, end);
    };
    this.finder = new Finder(automaton, note, SHORTEST_FORM);
    if (state === undefined) return;
    const { read, held, sinceMask, run } = state;
    this.released = read.length - held;
    this.covered = read.length - sinceMask;
    this.finder.run = run;
    // Finds the matches again that are not decided.
    this.finder.read(read);
  }

  /**
   * The number of characters of a secret's possible beginning at the end, with released ones: a secret that is written
   * byte by byte is masked.
   */
  get held(): number {
    const { held, position } = this.finder;
    return this.released < position ? lengthOf(held) : 0;
  }

  /**
   * True if bytes are held back that `flush` may release after a silence: of no secret that may have begun there, more than
   * little has appeared then, together with what was released before.
   */
  get revealsLittle(): boolean {
    const { finder, held } = this;
    if (held === 0 || held > MOST_SHOWN) return false;
    // A secret that goes on behind a mask may be a long one, which is masked in parts: enough of it may have appeared.
    if (finder.position - finder.held.length < this.covered) return false;
    const automaton = this.automaton();
    return finder.beginnings().every((beginning) => revealsLittle(beginning, automaton));
  }

  /** Returns the bytes that may be passed on now. Their memory is the chunk's, or used again by the call after the next. */
  push(chunk: Uint8Array): Uint8Array {
    const { finder } = this;
    const before = finder.held;
    finder.read(chunk);
    return this.release(finder.position - finder.held.length, chunk, before);
  }

  state(): StreamState {
    const { held: read, position, run } = this.finder;
    return { read, held: Math.max(0, position - this.released), sinceMask: position - this.covered, run };
  }

  /** Releases all held bytes, in new memory: at the end of the stream, and if they reveal little after a silence. */
  flush(): Uint8Array {
    this.finder.finish();
    return this.release(this.finder.position, NOTHING, this.finder.held);
  }

  private nextOut(size: number): Buffer {
    const out = this.former.length < size ? Buffer.allocUnsafe(size) : this.former;
    [this.out, this.former] = [out, this.out];
    return out;
  }

  /** Matches in different encodings come in any order. */
  private add(start: number, end: number): void {
    const { matches } = this;
    // Another masker has replaced it, since no byte of it is held back.
    if (end <= this.released) return;
    let first = matches.length;
    while (first > 0 && (matches[first - 1]?.end ?? 0) > start) first -= 1;
    let next = first;
    let joined = { start, end };
    for (let match = matches[next]; match !== undefined && match.start < end; match = matches[++next]) {
      joined = { start: Math.min(joined.start, match.start), end: Math.max(joined.end, match.end) };
    }
    matches.splice(first, next - first, joined);
  }

  /** @param before the last bytes before the chunk, at least those that are held back */
  private release(decided: number, chunk: Uint8Array, before: Uint8Array): Uint8Array {
    const { matches } = this;
    const chunkStart = this.finder.position - chunk.length;
    if (this.released >= chunkStart && matches.length === 0) {
      const from = this.released;
      this.released = Math.max(from, decided);
      return chunk.subarray(from - chunkStart, this.released - chunkStart);
    }
    const size = Math.max(0, decided - this.released) + MASK.length * matches.length;
    const out = chunk.length === 0 ? Buffer.alloc(size) : this.nextOut(size);
    let length = 0;
    const copyTo = (end: number): void => {
      const from = this.released;
      if (from >= end) return;
      const beforeStart = chunkStart - before.length;
      for (const piece of [
        before.subarray(Math.min(before.length, from - beforeStart), Math.max(0, end - beforeStart)),
        chunk.subarray(Math.max(0, from - chunkStart), Math.max(0, end - chunkStart)),
      ]) {
        out.set(piece, length);
        length += piece.length;
      }
      this.released = end;
    };
    let done = 0;
    for (let match = matches[0]; match !== undefined && match.start <= decided; match = matches[++done]) {
      copyTo(match.start);
      // A match that begins inside the former one shares its mask, unless bytes were released after that.
      if (match.start >= this.covered || this.released > this.covered) {
        length += MASK.copy(out, length);
        this.masked += 1;
      }
      this.released = Math.max(this.released, match.end);
      this.covered = match.end;
    }
    matches.splice(0, done);
    copyTo(decided);
    return out.subarray(0, length);
  }
}
