/**
 * Finds all patterns, and reads each byte once (Aho and Corasick, 1975), and skips bytes with which no pattern begins (Wu
 * and Manber, 1994). The tables are those of pattern-tables.ts.
 *
 * After each byte the automaton is at a node: the longest prefix of a pattern with which the bytes end. `nextNode` leads from
 * one byte to the next. If no pattern continues with the byte, failure links lead to shorter prefixes. With the patterns
 * `abc` and `bcd`, the failure link of `abc` leads to `bc`, and the byte `d` from there to `bcd`.
 *
 * An automaton does not change while it searches, except for failure links that it computes once they are needed. Any number of
 * streams may share it.
 */
import { PreparedSearch, type CompiledMatches, type CompiledSearchRequest } from "./compiled-search.ts";
import { countBase64Before, escapesFor, IS_BASE64, LINE_BREAK, LINE_WIDTH } from "./escapes.ts";
import { ROOT, type Beginning, type CompiledSearch } from "./masking-model.ts";
import { hashOfBlock, PatternTables } from "./pattern-tables.ts";

/**
 * From nodes up to this depth it is faster to skip to the next possible beginning of a pattern. Patterns are longer, so that a
 * search that goes back to such a beginning reports no match twice.
 */
export const SHALLOW_DEPTH = 5;

/** More than the number of bytes of a pattern that may appear after a silence. */
const NO_LIMIT = 255;

export class Automaton extends PatternTables {
  /** By byte: {@link ESCAPE}, {@link LINE_BREAK} or 0. */
  readonly escapes: Uint8Array;
  /** By node: the longest node with which it ends, except itself, plus one; 0 until it is needed. */
  private readonly failures: Uint32Array;
  /** By node: the length of the longest pattern with which it ends (0 without one), plus one; set together with `failures`. */
  private readonly matchLengths: Uint16Array;
  /** By pattern: the number of its first bytes that may appear after a silence. */
  private readonly shownLengths: Uint8Array;
  private compiled: PreparedSearch | undefined;

  /**
   * @param patterns bytes as characters (Latin-1), sorted, each once, of 3 to 65,534 bytes
   * @param shownLengths for each pattern the number of its first bytes that may appear after a silence
   * @param search makes `search` available, and builds the tables faster
   */
  constructor(patterns: readonly string[], shownLengths: Uint8Array, search?: CompiledSearch) {
    super(patterns, search);
    this.shownLengths = shownLengths;
    this.failures = new Uint32Array(this.branches.length);
    this.matchLengths = new Uint16Array(this.branches.length);
    this.escapes = escapesFor(this.patternBytes);
    if (search !== undefined) this.use(search);
  }

  /** Makes `search` available to all streams. */
  use(search: CompiledSearch): void {
    const { shifts, patternStarts, labels, branches, branchParents, firstNodes, branchEnds, forks } = this;
    const { escapes, patternBytes, branchOffsets, failures, matchLengths, window } = this;
    // In the order of `struct tables` in native/masking/search.inc.
    const trie = [shifts, patternStarts, labels, branches, branchParents, firstNodes, branchEnds, forks];
    const tables = [...trie, escapes, IS_BASE64, patternBytes, branchOffsets, failures, matchLengths];
    this.compiled = new PreparedSearch(search, tables, window);
  }

  /** Finds matches by the compiled search. @returns undefined if there is none @throws RangeError without memory */
  search(request: CompiledSearchRequest): CompiledMatches | undefined {
    return this.compiled?.find(request);
  }

  /** Returns what the candidates of a compiled search have read. @param keptLength the number of bytes that the stream has kept */
  beginnings(candidates: Uint8Array, keptLength: number): readonly Beginning[] {
    return this.compiled?.beginnings(candidates, keptLength) ?? [];
  }

  /** Returns the length of the longest pattern with which a node ends; 0 without one. */
  matchLengthAt(node: number): number {
    this.failureOf(node);
    return Math.max(0, (this.matchLengths[node] ?? 0) - 1);
  }

  /** Returns the number of the longest pattern with which a node ends: its index in the list of patterns. */
  patternAt(node: number): number {
    return this.branches[this.shorten(node, this.matchLengthAt(node))] ?? 0;
  }

  /** Returns how many bytes may appear of each pattern that begins with a node's bytes and is longer: the least of all. */
  minShownLength(node: number): number {
    const depth = this.depthOf(node);
    const firstPattern = this.branches[node] ?? 0;
    let minimum = NO_LIMIT;
    // These patterns follow each other, since patterns are sorted. Each but the first leaves another one at this depth or deeper.
    for (let pattern = firstPattern; pattern < this.branchEnds.length; pattern++) {
      if (pattern > firstPattern && this.depthOf(this.branchParents[pattern] ?? ROOT) < depth) break;
      if (this.branchEnds[pattern] !== node) minimum = Math.min(minimum, this.shownLengths[pattern] ?? 0);
    }
    return minimum;
  }

  /** Returns the longest node of at most `maxDepth` bytes with which a node ends. */
  shorten(node: number, maxDepth: number): number {
    let shorter = node;
    while (this.depthOf(shorter) > maxDepth) shorter = this.failureOf(shorter);
    return shorter;
  }

  /** Returns the longest node with which the bytes of a node and one more byte end. */
  nextNode(node: number, byte: number): number {
    for (let shorter = node; shorter !== ROOT; shorter = this.failureOf(shorter)) {
      const child = this.childOf(shorter, byte);
      if (child !== ROOT) return child;
    }
    return this.firstNodes[byte] ?? ROOT;
  }

  /**
   * Reads bytes as long as they continue the node's own pattern, begin no escape, and end no pattern. It is a fast form of
   * `nextNode` for most bytes of a secret.
   *
   * @param start the index of the first byte to read
   * @returns the index of the first byte that was not read, and the node before it
   */
  followBranch(node: number, bytes: Uint8Array, start: number): { readonly index: number; readonly node: number } {
    const { labels, matchLengths, escapes } = this;
    const restOfBranch = (this.branchEnds[this.branches[node] ?? 0] ?? 0) - node;
    const limit = Math.min(restOfBranch, bytes.length - start);
    let length = 0;
    while (
      length < limit &&
      labels[node + length + 1] === bytes[start + length] &&
      // The node was reached before, and no pattern ends there: see `matchLengths`.
      matchLengths[node + length + 1] === 1 &&
      escapes[bytes[start + length] ?? 0] === 0
    )
      length += 1;
    return { index: start + length, node: node + length };
  }

  /**
   * Returns the first index from `start` on at which a pattern may begin, in plain text or with an escape.
   *
   * @param base64Before the number of base64 characters directly before the first byte, up to LINE_WIDTH
   */
  skip(bytes: Uint8Array, start: number, base64Before: number): number {
    const { window, shifts, patternStarts, escapes } = this;
    if (window === 0) return bytes.length;
    const { length } = bytes;
    let index = start;
    for (let escape = start; ; escape++) {
      while (escape < length && escapes[bytes[escape] ?? 0] === 0) escape += 1;
      // Moves the window up to the next byte that may begin an escape.
      while (index + window <= escape) {
        const end = index + window;
        const lastBlock = hashOfBlock(bytes[end - 3] ?? 0, bytes[end - 2] ?? 0, bytes[end - 1] ?? 0);
        const distance = shifts[lastBlock] ?? 0;
        if (distance !== 0) {
          index += distance;
          continue;
        }
        // The last three bytes are the end of some pattern's first bytes. The first three decide whether one may begin here.
        const firstBlock = hashOfBlock(bytes[index] ?? 0, bytes[index + 1] ?? 0, bytes[index + 2] ?? 0);
        if (patternStarts[firstBlock] !== 0) return index;
        index += 1;
      }
      if (escape >= length) return index;
      const firstBegin = Math.max(start, escape - window + 1);
      const begin = this.findBeginBefore(bytes, firstBegin, escape, base64Before);
      // A pattern that contains the byte itself, not an escape, may begin before.
      if (begin !== -1) return Math.min(begin, index);
    }
  }

  /** Returns the longest node with which a node ends, except the node itself: its failure link. */
  failureOf(node: number): number {
    const stored = this.failures[node] ?? 0;
    if (stored !== 0 || node === ROOT) return Math.max(0, stored - 1);
    const branch = this.branches[node] ?? 0;
    const isFirstOfBranch = node === 1 || this.branches[node - 1] !== branch;
    const parent = isFirstOfBranch ? (this.branchParents[branch] ?? ROOT) : node - 1;
    const failure = parent === ROOT ? ROOT : this.nextNode(this.failureOf(parent), this.labels[node] ?? 0);
    this.failures[node] = failure + 1;
    const isWholePattern = this.branchEnds[branch] === node;
    this.matchLengths[node] = 1 + (isWholePattern ? this.depthOf(node) : this.matchLengthAt(failure));
    return failure;
  }

  /**
   * Finds the first index from `start` on from which plain bytes lead to the escape, so that a pattern may continue with it.
   *
   * @returns the index; that of the escape if a pattern may begin with it; -1 if it is a line break that ends no line of base64,
   *   or before which no pattern begins
   */
  private findBeginBefore(bytes: Uint8Array, start: number, escape: number, base64Before: number): number {
    const isLineBreak = this.escapes[bytes[escape] ?? 0] === LINE_BREAK;
    if (isLineBreak && countBase64Before(bytes, escape, base64Before) < LINE_WIDTH) return -1;
    for (let begin = start; begin < escape; begin++) {
      let node = this.firstNodes[bytes[begin] ?? 0] ?? ROOT;
      for (let index = begin + 1; index < escape && node !== ROOT; index++)
        node = this.childOf(node, bytes[index] ?? 0);
      if (node !== ROOT) return begin;
    }
    return isLineBreak ? -1 : escape;
  }
}
