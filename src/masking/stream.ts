import type { Automaton } from "./automaton.ts";
import { Finder } from "./finder.ts";
import { isEncodedForm } from "./patterns.ts";
import type { StreamState } from "./model.ts";

const MASK = Buffer.from("***");
const NOTHING = new Uint8Array();

/**
 * Replaces secrets in one stream by `***`. Matches that overlap are one: no tail of a secret is left over.
 *
 * Places are counted from the stream's first byte. All before the possible beginning of a secret is decided. Matches
 * behind that are kept, until it is decided if they are part of a longer one.
 */
export class Masker {
  /** Replacements so far. */
  masked = 0;
  private readonly finder: Finder;
  /** Matches that are not yet replaced, in order; those that overlap are one. */
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  /** The memory of results that are not part of the chunk. */
  private out: Buffer = Buffer.alloc(0);
  /** All before was given out or replaced. */
  private released = 0;
  /** The end of the last match that was replaced. */
  private covered = 0;

  /** @param automaton made when the first byte comes */
  constructor(automaton: () => Automaton, state?: StreamState) {
    this.finder = new Finder(automaton, (start, end, _, encoding) => {
      if (isEncodedForm(encoding, end - start)) this.add(start, end);
    });
    if (state !== undefined) this.restore(state);
  }

  /**
   * The length of the possible beginning of a secret with which the stream ends so far; 0 when nothing of it is held
   * back. Includes bytes that were released before: a secret that is written byte by byte does not get through.
   */
  get held(): number {
    return this.released < this.finder.position ? this.finder.held.length : 0;
  }

  /** Returns the bytes that may be passed on now. Their memory is the chunk's, or used again by the next call. */
  push(chunk: Uint8Array): Uint8Array {
    const { finder } = this;
    const before = finder.held;
    finder.read(chunk);
    return this.release(finder.position - finder.held.length, chunk, before);
  }

  /** For another masker, which goes on with the stream. */
  state(): StreamState {
    const { held: read, position, run } = this.finder;
    return { read, held: Math.max(0, position - this.released), sinceMask: position - this.covered, run };
  }

  /** Releases what is held back: after a silence with fewer than four bytes held, and at the end of the stream. */
  flush(): Uint8Array {
    this.finder.finish();
    return this.release(this.finder.position, NOTHING, this.finder.held);
  }

  private restore({ read, held, sinceMask, run }: StreamState): void {
    this.released = read.length - held;
    this.covered = read.length - sinceMask;
    this.finder.run = run;
    // It finds the matches again that are not decided.
    this.finder.read(read);
  }

  /** Adds a match. Those of different encodings come in any order of their ends. */
  private add(start: number, end: number): void {
    const { starts, ends } = this;
    // Found again by another masker: nothing of it is held back, so it was replaced.
    if (end <= this.released) return;
    let first = starts.length;
    while (first > 0 && (ends[first - 1] ?? 0) > start) first -= 1;
    let next = first;
    let [from, to] = [start, end];
    for (; next < starts.length && (starts[next] ?? 0) < end; next++) {
      from = Math.min(from, starts[next] ?? 0);
      to = Math.max(to, ends[next] ?? 0);
    }
    starts.splice(first, next - first, from);
    ends.splice(first, next - first, to);
  }

  /** @param before the last bytes before the chunk, at least those that are held back */
  private release(decided: number, chunk: Uint8Array, before: Uint8Array): Uint8Array {
    const { starts, ends } = this;
    const chunkStart = this.finder.position - chunk.length;
    const isWhole = this.released >= chunkStart && starts.length === 0;
    if (isWhole) {
      const from = this.released - chunkStart;
      if (decided <= this.released) return NOTHING;
      this.released = decided;
      return chunk.subarray(from, decided - chunkStart);
    }
    const size = Math.max(0, decided - this.released) + MASK.length * starts.length;
    if (this.out.length < size) this.out = Buffer.allocUnsafe(size);
    const { out } = this;
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
    for (; done < starts.length; done++) {
      const start = starts[done] ?? 0;
      const end = ends[done] ?? 0;
      if (start > decided) break;
      copyTo(start);
      // It goes on where another one ended in the middle of it: nothing of that was given out since.
      if (start >= this.covered || this.released > this.covered) {
        length += MASK.copy(out, length);
        this.masked += 1;
      }
      this.released = Math.max(this.released, end);
      this.covered = end;
    }
    starts.splice(0, done);
    ends.splice(0, done);
    copyTo(decided);
    return out.subarray(0, length);
  }
}
