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
  private readonly automaton: Automaton;
  private readonly found: Found;

  constructor(automaton: Automaton, found: Found) {
    this.automaton = automaton;
    this.found = found;
  }

  /**
   * Reads on, and tells of matches by their ends: of those with the same end of the longest, since all others are part of
   * it. Takes a time that is linear in the length.
   */
  read(chunk: Uint8Array): void {
    const { automaton, found, position: before } = this;
    const { length } = chunk;
    const lastWindow = length - automaton.window;
    let { node } = this;
    let depth = automaton.depthOf(node);
    let index = 0;
    while (true) {
      if (node === ROOT) index = automaton.skip(chunk, index);
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
    this.position = before + length;
  }
}
