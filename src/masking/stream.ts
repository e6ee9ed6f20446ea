import type { Automaton } from "./automaton.ts";
import { Finder } from "./finder.ts";
import type { StreamMasker, StreamState } from "./model.ts";

const MASK = Buffer.from("***");
const NOTHING = new Uint8Array();

/**
 * One stream's masker. Places are counted from its first byte.
 *
 * What lies before the possible beginning of a secret is decided. Matches behind that are kept, until it is decided
 * whether they are part of a longer one.
 */
export class Masker implements StreamMasker {
  masked = 0;
  private readonly finder: Finder;
  /** Matches that are not yet replaced, in order; those that overlap are one. */
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  /** What is given out where it is not part of the chunk; used again. */
  private out: Buffer = Buffer.alloc(0);
  /** All before was given out or replaced. */
  private released = 0;
  /** The end of the last match that was replaced. */
  private covered = 0;

  /** @param automaton made when the first byte comes */
  constructor(automaton: () => Automaton, state?: StreamState) {
    this.finder = new Finder(automaton, (start, end) => this.add(start, end));
    if (state !== undefined) this.restore(state);
  }

  get held(): number {
    return this.released < this.finder.position ? this.finder.depth : 0;
  }

  push(chunk: Uint8Array): Uint8Array {
    const { finder } = this;
    // The bytes that are held back are the last ones of what the automaton has read: they need no copy.
    const heldIn = finder.node;
    finder.read(chunk);
    return this.release(finder.position - finder.depth, chunk, heldIn);
  }

  state(): StreamState {
    const { node, depth, position } = this.finder;
    const read = depth === 0 ? NOTHING : this.finder.tail(node, depth);
    return { read, held: Math.max(0, position - this.released), sinceMask: position - this.covered };
  }

  flush(): Uint8Array {
    return this.release(this.finder.position, NOTHING, this.finder.node);
  }

  private restore({ read, held, sinceMask }: StreamState): void {
    this.released = read.length - held;
    this.covered = read.length - sinceMask;
    // It finds the matches again that are not decided.
    this.finder.read(read);
  }

  private add(start: number, end: number): void {
    const { starts, ends } = this;
    // Found again by another masker: nothing of it is held back, so it was replaced.
    if (end <= this.released) return;
    while ((starts.at(-1) ?? -1) >= start) {
      starts.pop();
      ends.pop();
    }
    if ((ends.at(-1) ?? -1) > start) ends[ends.length - 1] = end;
    else {
      starts.push(start);
      ends.push(end);
    }
  }

  /**
   * Gives out what is decided.
   *
   * @param decided all before is; a match that begins there or before stands
   * @param heldIn the state of the automaton before the chunk
   */
  private release(decided: number, chunk: Uint8Array, heldIn: number): Uint8Array {
    const { starts, ends } = this;
    const chunkStart = this.finder.position - chunk.length;
    const isWhole = this.released >= chunkStart && starts.length === 0;
    if (isWhole) {
      const from = this.released - chunkStart;
      if (decided <= this.released) return NOTHING;
      this.released = decided;
      return chunk.subarray(from, decided - chunkStart);
    }
    const held = this.finder.tail(heldIn, Math.max(0, chunkStart - this.released));
    const size = Math.max(0, decided - this.released) + MASK.length * starts.length;
    if (this.out.length < size) this.out = Buffer.allocUnsafe(size);
    const { out } = this;
    let length = 0;
    const copyTo = (end: number): void => {
      const from = this.released;
      if (from >= end) return;
      const ofHeld = held.length - (chunkStart - from);
      if (from < chunkStart) length += held.copy(out, length, ofHeld, held.length - Math.max(0, chunkStart - end));
      if (end > chunkStart) {
        const piece = chunk.subarray(Math.max(0, from - chunkStart), end - chunkStart);
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
