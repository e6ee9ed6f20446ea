import { ROOT, type Automaton } from "./automaton.ts";

/**
 * Below this depth it pays to look ahead for the next possible beginning instead of going on byte by byte. No pattern is
 * so short: what is read twice holds no match.
 */
const SHALLOW = 5;

/** Told of each match: where it begins and ends in the stream, and with which state of the automaton. */
export type Found = (start: number, end: number, node: number) => void;

/** Finds patterns in one stream that comes in chunks. */
export class Finder {
  /** How many bytes were read. */
  position = 0;
  /** The longest possible beginning with which they end. */
  node = ROOT;
  /** Its length. */
  depth = 0;
  private readonly automatonOf: () => Automaton;
  private readonly found: Found;

  /** @param automatonOf is called at the first byte */
  constructor(automatonOf: () => Automaton, found: Found) {
    this.automatonOf = automatonOf;
    this.found = found;
  }

  /** The last bytes that were read when the automaton was in this state. */
  tail(node: number, length: number): Buffer {
    return this.automatonOf().tail(node, length);
  }

  /**
   * Reads on, and tells of matches by their ends: of those with the same end of the longest, since all others are part of
   * it. Takes a time that is linear in the length.
   */
  read(chunk: Uint8Array): void {
    const { length } = chunk;
    if (length === 0) return;
    const { found, position: before } = this;
    const automaton = this.automatonOf();
    const lastWindow = length - automaton.window;
    let { node, depth } = this;
    let index = 0;
    while (true) {
      if (node === ROOT) index = automaton.skip(chunk, index);
      else {
        const ahead = automaton.follow(node, chunk, index);
        node += ahead;
        index += ahead;
        depth += ahead;
      }
      if (index >= length) break;
      node = automaton.next(node, chunk[index] ?? 0);
      index += 1;
      const former = depth;
      depth = automaton.depthOf(node);
      const size = automaton.foundAt(node);
      if (size !== 0) found(before + index - size, before + index, node);
      // What was hoped for did not come, and what may begin instead has hardly begun.
      if (depth <= former && depth <= SHALLOW && depth <= index && index - depth <= lastWindow) {
        index -= depth;
        node = ROOT;
        depth = 0;
      }
    }
    this.node = node;
    this.depth = depth;
    this.position = before + length;
  }
}
