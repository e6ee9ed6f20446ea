/**
 * Finds all patterns in a single pass (Aho and Corasick, 1975), and skips bytes with which no pattern begins (Wu and
 * Manber, 1994). Needs five bytes of memory for each byte of a pattern, and six more if a stream reaches it; pure.
 */
import { base64Before, escapesOf, IS_BASE64, LINE_BREAK, LINE_WIDTH } from "./escapes.ts";
import type { Beginning, CompiledSearch } from "./masking-model.ts";

export const ROOT = 0;

/** Up to this depth skipping to the next possible beginning pays. Patterns are longer: no match is found twice. */
export const SHALLOW = 5;

/**
 * Limit on the candidates of a stream, which keeps the time linear for secrets made to defeat it. No secret is lost: an
 * encoding has eight candidates at most.
 */
export const MOST_CANDIDATES = 128;

/** Hash values of three bytes. */
const BLOCKS = 1 << 16;

/** The numbers of a match: its start and end, its node, its encoding, and 1 for an escape of shells. */
export const MATCH_NUMBERS = 5;

export interface FindRequest {
  readonly bytes: Uint8Array;
  readonly before: number;
  readonly node: number;
  readonly run: number;
  readonly least: number;
  readonly isEnd: boolean;
}

export interface FoundMatches {
  /** The memory for candidates, if there are any. */
  readonly candidates: Uint8Array | undefined;
  readonly node: number;
  /** The index of the first byte to keep. */
  readonly from: number;
  /** {@link MATCH_NUMBERS} for each; offsets are indexes of the bytes. */
  readonly matches: Int32Array;
}

/**
 * A trie of all patterns. A node is a prefix of a pattern, by number. Each pattern has a branch: the nodes that it does not
 * share with the pattern before it, numbered in a row. The arrays are by node or by branch.
 */
export class Automaton {
  private compiled: { readonly search: CompiledSearch; readonly handle: Uint8Array } | undefined;
  /** Memory for candidates that no stream needs at the moment. */
  private spare: Uint8Array | undefined;
  /** The length of the shortest pattern, at most 255; 0 without patterns. */
  readonly window: number;
  /** By node: its last byte, and its branch. */
  private readonly label: Buffer;
  private readonly branch: Uint32Array;
  /** By node: the longest other node with which it ends, plus one; 0 until it is needed. */
  private readonly failure: Uint32Array;
  /** By node: the length of the longest pattern with which it ends (0 without one), plus one; known when `failure` is. */
  private readonly matchLengths: Uint16Array;
  /** By branch: the difference between a node's number and its length. */
  private readonly base: Uint32Array;
  /** By branch: the node where it leaves another branch, and its last node: the pattern. */
  private readonly parent: Uint32Array;
  private readonly end: Uint32Array;
  private readonly first = new Uint32Array(256);
  /** A hash table of the first nodes of branches, by their parent and their byte. */
  private readonly forks: Uint32Array;
  /** The distance by which the window may move if its last three bytes are these. */
  private readonly shift: Uint8Array;
  readonly escapes: Uint8Array;
  /** Marks the bytes of patterns, and the first three bytes of patterns. */
  private readonly occurs = new Uint8Array(256);
  private readonly starts = new Uint8Array(BLOCKS);
  /** By pattern: the number of its first bytes that may appear after a silence. */
  private readonly shown: Uint8Array;

  /**
   * @param patterns bytes as characters (Latin-1), sorted, each once, of 3 to 65,534 bytes
   * @param shown for each the number of its first bytes that may appear after a silence
   */
  constructor(patterns: readonly string[], shown: Uint8Array, search?: CompiledSearch) {
    this.shown = shown;
    const size = patterns.reduce((sum, { length }) => sum + length, 2);
    this.branch = new Uint32Array(size);
    this.failure = new Uint32Array(size);
    this.matchLengths = new Uint16Array(size);
    this.base = new Uint32Array(patterns.length);
    this.parent = new Uint32Array(patterns.length);
    this.end = new Uint32Array(patterns.length);
    this.forks = new Uint32Array(1 << (32 - Math.clz32(2 * patterns.length)));
    this.window = patterns.length === 0 ? 0 : patterns.reduce((least, { length }) => Math.min(least, length), 255);
    this.shift = new Uint8Array(BLOCKS).fill(Math.max(0, this.window - 2));
    this.label = Buffer.alloc(size);
    // One buffer is several times as fast as the characters of strings.
    const bytes = Buffer.from(patterns.join(""), "latin1");
    if (search === undefined) this.build(patterns, bytes);
    else {
      const { shift, starts, label, branch, parent, first, end, forks, occurs, base, window } = this;
      const lengths = Uint32Array.from(patterns, ({ length }) => length);
      search.buildSearch(shift, starts, label, branch, parent, first, end, forks, occurs, base, bytes, lengths, window);
    }
    this.escapes = escapesOf(this.occurs);
    if (search !== undefined) this.use(search);
  }

  /** Lets streams be searched by {@link find}, not by the steps in TypeScript. */
  use(search: CompiledSearch): void {
    const { shift, starts, label, branch, parent, first, end, forks, escapes, occurs } = this;
    const { base, failure, matchLengths } = this;
    const byByte = [escapes, IS_BASE64, occurs];
    const tables = [shift, starts, label, branch, parent, first, end, forks, ...byByte, base, failure, matchLengths];
    this.compiled = { search, handle: search.prepareSearch(...tables) };
  }

  /** Finds matches by the compiled search, as {@link CompiledSearch.find} describes. */
  find(
    candidates: Uint8Array | undefined,
    { bytes, before, node, run, least, isEnd }: FindRequest,
  ): FoundMatches | undefined {
    if (this.compiled === undefined) return undefined;
    const { search, handle } = this.compiled;
    const memory = candidates ?? this.spare ?? search.newCandidates();
    if (memory === this.spare) this.spare = undefined;
    const results = new Uint32Array(4);
    const end = isEnd ? 1 : 0;
    const error = search.find(handle, memory, bytes, before, node, this.window, run, least, end, results);
    const [last = ROOT, from = 0, count = 0, matchCount = 0] = results;
    if (error !== 0) throw new RangeError("no memory for what masking has found");
    const matches = new Int32Array(matchCount * MATCH_NUMBERS);
    if (matchCount > 0) search.takeMatches(matches);
    if (count === 0) this.spare = memory;
    return { candidates: count === 0 ? undefined : memory, node: last, from, matches };
  }

  /** Lists the candidates of a stream whose search is compiled. @param length that of the bytes that it has kept */
  beginnings(candidates: Uint8Array, length: number): readonly Beginning[] {
    const numbers = new Int32Array(2 * MOST_CANDIDATES);
    const count = this.compiled?.search.listCandidates(candidates, length, numbers) ?? 0;
    return Array.from({ length: count }, (_, index) => ({
      node: numbers[2 * index] ?? ROOT,
      undecided: numbers[2 * index + 1] ?? 0,
    }));
  }

  depthOf(node: number): number {
    return node === ROOT ? 0 : node - (this.base[this.branch[node] ?? 0] ?? 0);
  }

  /** Returns the length of the longest pattern with which a node ends; 0 without one. */
  matchLengthAt(node: number): number {
    this.failureOf(node);
    return Math.max(0, (this.matchLengths[node] ?? 0) - 1);
  }

  patternAt(node: number): number {
    const length = this.matchLengthAt(node);
    let end = node;
    while (this.depthOf(end) > length) end = this.failureOf(end);
    return this.branch[end] ?? 0;
  }

  /** Returns the least number of bytes that may appear of the patterns that begin with a node's bytes and have more. */
  leastShown(node: number): number {
    const depth = this.depthOf(node);
    const first = this.branch[node] ?? 0;
    let least = 255;
    // In their order these patterns are in a row, and each but the first one leaves another at this depth or behind it.
    for (let number = first; number < this.end.length; number++) {
      if (number > first && this.depthOf(this.parent[number] ?? ROOT) < depth) break;
      if (this.end[number] !== node) least = Math.min(least, this.shown[number] ?? 0);
    }
    return least;
  }

  /** Returns the longest node of at most `depth` bytes with which `node` ends. */
  shortened(node: number, depth: number): number {
    let at = node;
    while (this.depthOf(at) > depth) at = this.failureOf(at);
    return at;
  }

  /** Returns the longest node with which the bytes end after another byte. */
  next(node: number, byte: number): number {
    for (let at = node; at !== ROOT; at = this.failureOf(at)) {
      const child = this.child(at, byte);
      if (child !== ROOT) return child;
    }
    return this.first[byte] ?? ROOT;
  }

  /** Reads bytes from `at` on that are no escapes and end no pattern. @returns the first other index, and the node there */
  follow(node: number, bytes: Uint8Array, at: number): { readonly index: number; readonly node: number } {
    const { label, matchLengths, escapes } = this;
    const most = Math.min((this.end[this.branch[node] ?? 0] ?? 0) - node, bytes.length - at);
    let length = 0;
    while (
      length < most &&
      label[node + length + 1] === bytes[at + length] &&
      matchLengths[node + length + 1] === 1 &&
      escapes[bytes[at + length] ?? 0] === 0
    )
      length += 1;
    return { index: at + length, node: node + length };
  }

  /** Returns the first index from `at` on at which a pattern may begin. @param run as of {@link base64Before} */
  skip(bytes: Uint8Array, at: number, run: number): number {
    const { window, shift, starts } = this;
    if (window === 0) return bytes.length;
    const { length } = bytes;
    for (let index = at, escape = at; ; escape++) {
      while (escape < length && this.escapes[bytes[escape] ?? 0] === 0) escape += 1;
      while (index + window <= escape) {
        const end = index + window;
        const distance = shift[block(bytes[end - 3] ?? 0, bytes[end - 2] ?? 0, bytes[end - 1] ?? 0)] ?? 0;
        if (distance !== 0) index += distance;
        else if (starts[block(bytes[index] ?? 0, bytes[index + 1] ?? 0, bytes[index + 2] ?? 0)] === 0) index += 1;
        else return index;
      }
      if (escape >= length) return index;
      const begin = this.beginBefore(bytes, Math.max(at, escape - window + 1), escape, run);
      // A pattern that contains the byte itself may begin before.
      if (begin !== -1) return Math.min(begin, index);
    }
  }

  /** Returns the first index from `from` on at which a pattern may begin that continues with the escape, or -1. */
  private beginBefore(bytes: Uint8Array, from: number, escape: number, run: number): number {
    const isBreak = this.escapes[bytes[escape] ?? 0] === LINE_BREAK;
    if (isBreak && base64Before(bytes, escape, run) < LINE_WIDTH) return -1;
    for (let begin = from; begin < escape; begin++) {
      let node = this.first[bytes[begin] ?? 0] ?? ROOT;
      for (let at = begin + 1; at < escape && node !== ROOT; at++) node = this.child(node, bytes[at] ?? 0);
      if (node !== ROOT) return begin;
    }
    return isBreak ? -1 : escape;
  }

  private child(node: number, byte: number): number {
    const { label, branch, parent, forks } = this;
    const near = node + 1;
    if (label[near] === byte && branch[near] === branch[node]) return near;
    const mask = forks.length - 1;
    for (let slot = slotOf(node, byte) & mask; ; slot = (slot + 1) & mask) {
      const found = forks[slot] ?? ROOT;
      if (found === ROOT || (label[found] === byte && parent[branch[found] ?? 0] === node)) return found;
    }
  }

  /** Returns the longest other node with which a node ends. */
  failureOf(node: number): number {
    const known = this.failure[node] ?? 0;
    if (known !== 0 || node === ROOT) return Math.max(0, known - 1);
    const branch = this.branch[node] ?? 0;
    const parent = node > 1 && this.branch[node - 1] === branch ? node - 1 : (this.parent[branch] ?? ROOT);
    const failure = parent === ROOT ? ROOT : this.next(this.failureOf(parent), this.label[node] ?? 0);
    this.failure[node] = failure + 1;
    const isPattern = this.end[branch] === node;
    this.matchLengths[node] = 1 + (isPattern ? this.depthOf(node) : this.matchLengthAt(failure));
    return failure;
  }

  private build(patterns: readonly string[], bytes: Buffer): void {
    const { label, branch, base, parent, end, first } = this;
    // An iterator takes ten times as long for some millions of bytes.
    for (let at = 0; at < bytes.length; at++) this.occurs[bytes[at] ?? 0] = 1;
    let lastNode = ROOT;
    for (let number = 0, from = 0, former = 0, formerLength = 0; number < patterns.length; number++) {
      const length = patterns[number]?.length ?? 0;
      const most = Math.min(length, formerLength);
      let shared = 0;
      while (shared < most && bytes[from + shared] === bytes[former + shared]) shared += 1;
      const node = shared === 0 ? ROOT : this.nodeBefore(number, shared);
      const start = lastNode + 1;
      lastNode += length - shared;
      bytes.copy(label, start, from + shared, from + length);
      branch.fill(number, start, lastNode + 1);
      base[number] = start - shared - 1;
      parent[number] = node;
      end[number] = lastNode;
      if (node === ROOT) first[bytes[from] ?? 0] = start;
      else this.fork(node, bytes[from + shared] ?? 0, start);
      this.limitShifts(bytes, from, shared);
      former = from;
      formerLength = length;
      from += length;
    }
  }

  /** Returns the node of the first `depth` bytes of the pattern before. */
  private nodeBefore(number: number, depth: number): number {
    const { base, branch, parent } = this;
    let of = number - 1;
    while (this.depthOf(parent[of] ?? ROOT) >= depth) of = branch[parent[of] ?? ROOT] ?? 0;
    return (base[of] ?? 0) + depth;
  }

  private fork(node: number, byte: number, child: number): void {
    const { forks } = this;
    const mask = forks.length - 1;
    let slot = slotOf(node, byte) & mask;
    while (forks[slot] !== ROOT) slot = (slot + 1) & mask;
    forks[slot] = child;
  }

  /** Keeps the window from moving past three bytes of a pattern. The pattern before did so for the `shared` bytes. */
  private limitShifts(bytes: Uint8Array, from: number, shared: number): void {
    const { shift, starts, window } = this;
    for (let end = Math.max(3, shared + 1); end <= window; end++) {
      const at = block(bytes[from + end - 3] ?? 0, bytes[from + end - 2] ?? 0, bytes[from + end - 1] ?? 0);
      if ((shift[at] ?? 0) > window - end) shift[at] = window - end;
      if (end === 3) starts[at] = 1;
    }
  }
}

function block(first: number, second: number, third: number): number {
  return ((third << 10) ^ (second << 5) ^ first) & (BLOCKS - 1);
}

function slotOf(node: number, byte: number): number {
  return (Math.imul(node, 0x9e37_79b1) ^ Math.imul(byte, 0x85eb_ca6b)) >>> 7;
}
