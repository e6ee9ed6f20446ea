/**
 * Searches bytes for many patterns at once. The patterns are the secrets that masking looks for (patterns.ts).
 *
 * The algorithm is that of Aho and Corasick (1975), which reads each byte once, together with that of Wu and Manber
 * (1994), which skips bytes with which no pattern begins. pattern-tables.ts has the tables of both.
 *
 * After each byte the automaton is at a node, which stands for a prefix of a pattern: the longest prefix with which the
 * bytes end. `nextNode` leads from one byte to the next. If no pattern continues with the byte, failure links lead to
 * shorter prefixes. With the patterns `abc` and `bcd`, the failure link of `abc` leads to `bc`, and the byte `d` from
 * there to `bcd`.
 *
 * Any number of streams may share an automaton, since a search changes nothing in it but a cache of failure links. In
 * the comments below, "the node ends with" means that its prefix ends with something.
 */
import { PreparedSearch, type CompiledMatches, type CompiledSearchRequest } from "./compiled-search.ts";
import { countBase64Before, escapesFor, IS_BASE64, LINE_BREAK, LINE_WIDTH } from "./escapes.ts";
import { ROOT, type Beginning, type CompiledSearch } from "./masking-model.ts";
import { hashBlock, PatternTables } from "./pattern-tables.ts";

/**
 * If the prefix at hand has at most this number of bytes, a search is faster that goes back to its beginning and skips
 * from there (steps.ts). Patterns are longer than this, so that such a search reports no match twice.
 */
export const SHALLOW_DEPTH = 5;

/** More than the number of bytes that may appear of any pattern after a silence (silence.ts). */
const NO_LIMIT = 255;

export class Automaton extends PatternTables {
  /** By byte: {@link ESCAPE}, {@link LINE_BREAK} or 0. */
  readonly escapes: Uint8Array;
  /** By node: its failure link plus one, or 0 as long as it is not computed. */
  private readonly failures: Uint32Array;
  /**
   * By node: the length of the longest pattern with which it ends (0 without one) plus one. It is set with the failure
   * link.
   */
  private readonly matchLengths: Uint16Array;
  /** By pattern: the number of its first bytes that may appear after a silence. */
  private readonly shownLengths: Uint8Array;
  private compiled: PreparedSearch | undefined;

  /**
   * @param patterns bytes as characters (Latin-1), sorted, without duplicates, of 3 to 65,534 bytes each
   * @param shownLengths for each pattern, the number of its first bytes that may appear after a silence
   * @param search the compiled search, if the addon is available: it also builds the tables faster
   */
  constructor(patterns: readonly string[], shownLengths: Uint8Array, search?: CompiledSearch) {
    super(patterns, search);
    this.shownLengths = shownLengths;
    this.failures = new Uint32Array(this.branches.length);
    this.matchLengths = new Uint16Array(this.branches.length);
    this.escapes = escapesFor(this.patternBytes);
    if (search !== undefined) this.use(search);
  }

  /** Makes the compiled search available to all streams that share this automaton. */
  use(search: CompiledSearch): void {
    const { shifts, patternStarts, labels, branches, branchParents, firstNodes, branchEnds, forks } = this;
    const { escapes, patternBytes, branchOffsets, failures, matchLengths, window } = this;
    // In the order of `struct tables` in native/masking/search.inc.
    const builtTables = [shifts, patternStarts, labels, branches, branchParents, firstNodes, branchEnds, forks];
    const tables = [...builtTables, escapes, IS_BASE64, patternBytes, branchOffsets, failures, matchLengths];
    this.compiled = new PreparedSearch(search, tables, window);
  }

  /**
   * Finds matches by the compiled search.
   *
   * @returns undefined if it is not available
   * @throws RangeError without memory
   */
  search(request: CompiledSearchRequest): CompiledMatches | undefined {
    return this.compiled?.find(request);
  }

  /**
   * Returns the beginnings that candidates of a compiled search have read.
   *
   * @param keptLength the number of bytes that the stream has kept
   */
  beginnings(candidates: Uint8Array, keptLength: number): readonly Beginning[] {
    return this.compiled?.beginnings(candidates, keptLength) ?? [];
  }

  /** Returns the length of the longest pattern with which a node ends; 0 without one. */
  matchLengthAt(node: number): number {
    this.findFailureNode(node);
    return Math.max(0, (this.matchLengths[node] ?? 0) - 1);
  }

  /** Returns the index, in the list of patterns, of the longest pattern with which a node ends. */
  patternAt(node: number): number {
    return this.branches[this.shorten(node, this.matchLengthAt(node))] ?? 0;
  }

  /** Returns the lowest `shownLengths` of all patterns that begin with a node's prefix and are longer than this. */
  minShownLength(node: number): number {
    const depth = this.findDepth(node);
    const firstPattern = this.branches[node] ?? 0;
    let minimum = NO_LIMIT;
    // Patterns are sorted, so that these follow each other. Each of them but the first branches off at this depth or
    // deeper.
    for (let pattern = firstPattern; pattern < this.branchEnds.length; pattern++) {
      if (pattern > firstPattern && this.findDepth(this.branchParents[pattern] ?? ROOT) < depth) break;
      if (this.branchEnds[pattern] !== node) minimum = Math.min(minimum, this.shownLengths[pattern] ?? 0);
    }
    return minimum;
  }

  /** Returns the longest node with which a node ends and whose prefix has at most `maxDepth` bytes. */
  shorten(node: number, maxDepth: number): number {
    let shorter = node;
    while (this.findDepth(shorter) > maxDepth) shorter = this.findFailureNode(shorter);
    return shorter;
  }

  /** Returns the node after one more byte: the longest prefix of a pattern with which the bytes read so far end. */
  nextNode(node: number, byte: number): number {
    for (let shorter = node; shorter !== ROOT; shorter = this.findFailureNode(shorter)) {
      const child = this.findChild(shorter, byte);
      if (child !== ROOT) return child;
    }
    return this.firstNodes[byte] ?? ROOT;
  }

  /**
   * Reads bytes as long as they continue the pattern of the node's branch, begin no escape, and end no pattern. For
   * such bytes, which most bytes of a secret are, it is faster than `nextNode`.
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
      // 1 means that the failure link is computed, and that no pattern ends at the node.
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
      // Moves the window, in which no byte may begin an escape.
      while (index + window <= escape) {
        const end = index + window;
        const lastBlock = hashBlock(bytes[end - 3] ?? 0, bytes[end - 2] ?? 0, bytes[end - 1] ?? 0);
        const distance = shifts[lastBlock] ?? 0;
        if (distance !== 0) {
          index += distance;
          continue;
        }
        // The last three bytes of the window may belong to a pattern that begins with the window. The first three
        // decide.
        const firstBlock = hashBlock(bytes[index] ?? 0, bytes[index + 1] ?? 0, bytes[index + 2] ?? 0);
        if (patternStarts[firstBlock] !== 0) return index;
        index += 1;
      }
      if (escape >= length) return index;
      const firstBegin = Math.max(start, escape - window + 1);
      const begin = this.findBeginBefore(bytes, firstBegin, escape, base64Before);
      // The window may have stopped before: a pattern may contain the byte as it is, not as an escape.
      if (begin !== -1) return Math.min(begin, index);
    }
  }

  /** Returns the failure link of a node: the longest other node with which it ends. */
  findFailureNode(node: number): number {
    const cached = this.failures[node] ?? 0;
    if (cached !== 0 || node === ROOT) return Math.max(0, cached - 1);
    const branch = this.branches[node] ?? 0;
    const isFirstOfBranch = node === 1 || this.branches[node - 1] !== branch;
    const parent = isFirstOfBranch ? (this.branchParents[branch] ?? ROOT) : node - 1;
    const failure = parent === ROOT ? ROOT : this.nextNode(this.findFailureNode(parent), this.labels[node] ?? 0);
    this.failures[node] = failure + 1;
    const isWholePattern = this.branchEnds[branch] === node;
    this.matchLengths[node] = 1 + (isWholePattern ? this.findDepth(node) : this.matchLengthAt(failure));
    return failure;
  }

  /**
   * Finds the first index, from `start` on, at which a pattern may begin that continues with the escape.
   *
   * @param escape the index of the escape
   * @returns the index of the escape if the pattern may begin with it; -1 if no pattern continues with it. A line break
   *   is no beginning of a pattern, and an escape only at the end of a line of base64
   */
  private findBeginBefore(bytes: Uint8Array, start: number, escape: number, base64Before: number): number {
    const isLineBreak = this.escapes[bytes[escape] ?? 0] === LINE_BREAK;
    if (isLineBreak && countBase64Before(bytes, escape, base64Before) < LINE_WIDTH) return -1;
    for (let begin = start; begin < escape; begin++) {
      let node = this.firstNodes[bytes[begin] ?? 0] ?? ROOT;
      for (let index = begin + 1; index < escape && node !== ROOT; index++)
        node = this.findChild(node, bytes[index] ?? 0);
      if (node !== ROOT) return begin;
    }
    return isLineBreak ? -1 : escape;
  }
}
