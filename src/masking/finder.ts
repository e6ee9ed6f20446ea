import { ROOT, type Automaton } from "./automaton.ts";
import { LINE_WIDTH, NEWLINE, RETURN, runBefore } from "./breaks.ts";

/**
 * Below this depth it pays to look ahead for the next possible beginning instead of going on byte by byte. No pattern is
 * so short: what is read twice holds no match.
 */
const SHALLOW = 5;

const NOTHING = new Uint8Array();

/** Told of each match: where it begins and ends in the stream, and with which state of the automaton. */
export type Found = (start: number, end: number, node: number) => void;

/** Finds patterns in one stream that comes in chunks, also where wrapped base64 has its line breaks in them. */
export class Finder {
  /** How many bytes were read. */
  position = 0;
  /** The longest possible beginning of a pattern with which they end: its bytes, line breaks too. Another one after each `read`. */
  held: Uint8Array = NOTHING;
  /** Its length without line breaks. */
  depth = 0;
  private node = ROOT;
  /** Where in it are line breaks that were passed over. */
  private breaks: number[] = [];
  /** With how many characters of base64 the stream ends, as far as that counts. */
  run = 0;
  private readonly automatonOf: () => Automaton;
  private readonly found: Found;

  /** @param automatonOf is called at the first byte */
  constructor(automatonOf: () => Automaton, found: Found) {
    this.automatonOf = automatonOf;
    this.found = found;
  }

  /**
   * Reads on, and tells of matches by their ends: of those with the same end of the longest, since all others are part of
   * it. Takes a time that is linear in the length.
   *
   * @param width of the shortest lines that are taken for wrapped base64
   */
  read(chunk: Uint8Array, width = LINE_WIDTH): void {
    const { length } = chunk;
    if (length === 0) return;
    const automaton = this.automatonOf();
    const before = this.position;
    const isSplitBreak = chunk[0] === NEWLINE && this.breaks.at(-1) === before - 1 && this.held.at(-1) === RETURN;
    let at = isSplitBreak ? this.passOver(1) : 0;
    while (at < length) {
      const end = automaton.nextBreak(chunk, at, this.run, width);
      this.readLine(chunk.subarray(at, end), automaton);
      this.run = end < length ? 0 : runBefore(chunk, end, at, this.run);
      at = end < length ? end + this.readBreak(chunk.subarray(end), automaton) : end;
    }
    const start = this.startOf(this.position, this.depth);
    if (start === this.position) this.held = NOTHING;
    else if (start >= before) this.held = new Uint8Array(chunk.subarray(start - before)); // a copy
    else this.held = Buffer.concat([this.held.subarray(start - before), chunk]);
    this.breaks = this.breaks.filter((place) => place >= start);
  }

  private readLine(line: Uint8Array, automaton: Automaton): void {
    const { length } = line;
    const { found, position: before } = this;
    const lastWindow = length - automaton.window;
    let { node, depth } = this;
    let index = 0;
    while (true) {
      if (node === ROOT) index = automaton.skip(line, index);
      else {
        const ahead = automaton.follow(node, line, index);
        node += ahead;
        index += ahead;
        depth += ahead;
      }
      if (index >= length) break;
      node = automaton.next(node, line[index] ?? 0);
      index += 1;
      const former = depth;
      depth = automaton.depthOf(node);
      const size = automaton.foundAt(node);
      if (size !== 0) found(this.startOf(before + index, size), before + index, node);
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

  /** Reads a line break after base64: where no pattern goes on with it, it may stand in one. @returns its length */
  private readBreak(rest: Uint8Array, automaton: Automaton): number {
    const isPart = automaton.depthOf(automaton.next(this.node, rest[0] ?? NEWLINE)) > 1;
    if (this.node !== ROOT && !isPart) return this.passOver(rest[0] === RETURN && rest[1] === NEWLINE ? 2 : 1);
    this.readLine(rest.subarray(0, 1), automaton);
    return 1;
  }

  private passOver(length: number): number {
    for (let byte = 0; byte < length; byte++) this.breaks.push(this.position + byte);
    this.position += length;
    return length;
  }

  /** Where so many bytes begin that end there, not counting line breaks that were passed over. */
  private startOf(end: number, length: number): number {
    let start = end - length;
    for (let last = this.breaks.length - 1; (this.breaks[last] ?? -1) >= start; last--) start -= 1;
    return start;
  }
}
