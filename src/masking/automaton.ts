/**
 * Finds all patterns in one pass over bytes (Aho and Corasick, 1975), and skips quickly what is none (Wu and Manber,
 * 1994). Five bytes of memory for each byte of a pattern, and seven more for those that a stream leads to; pure.
 */
import { IS_BASE64, LINE_WIDTH, runBefore } from "./breaks.ts";
import { escapesOf, LINE_BREAK } from "./escapes.ts";
import type { CompiledSearch } from "./model.ts";

/** The beginning of no bytes. */
export const ROOT = 0;

/** Blocks of three bytes are told apart by as many bits. */
const BLOCKS = 1 << 16;

/**
 * The beginnings of all patterns as a tree, by number. Each pattern has a branch: the beginnings that it does not share
 * with the pattern before it, numbered in a row. The arrays are by beginning or by branch.
 */
export class Automaton {
  private compiled: { readonly search: CompiledSearch; readonly handle: Uint8Array } | undefined;
  /** The length of the shortest pattern, at most 255; 0 where there is none. */
  readonly window: number;
  /** Of each beginning: its last byte, and its branch. */
  private readonly label: Buffer;
  private readonly branch: Uint32Array;
  /** One more than the number of the longest beginning that it ends with; 0 until it is needed. */
  private readonly failure: Uint32Array;
  /** The length of the longest pattern that it ends with, known where `failure` is; `quiet`: known to be none. */
  private readonly found: Uint16Array;
  private readonly quiet: Uint8Array;
  /** Of each branch: the difference between a beginning's number and its length. */
  private readonly base: Int32Array;
  /** The beginning where it leaves another branch, and its last one: the pattern. */
  private readonly parent: Uint32Array;
  private readonly end: Uint32Array;
  private readonly first = new Uint32Array(256);
  /** Hash table of the first beginnings of branches, by the beginning that they leave and the byte. */
  private readonly forks: Uint32Array;
  /** How far the window may move if its last three bytes are these. */
  private readonly shift: Uint8Array;
  /** By byte; see {@link escapesOf}. */
  readonly escapes: Uint8Array;
  /** Marks the bytes of patterns, and the three bytes with which a pattern begins. */
  private readonly occurs = new Uint8Array(256);
  private readonly starts = new Uint8Array(BLOCKS);

  /** @param patterns bytes as characters (Latin-1), sorted, each once, of 3 to 65,535 bytes */
  constructor(patterns: readonly string[]) {
    const size = patterns.reduce((sum, { length }) => sum + length, 2);
    this.branch = new Uint32Array(size);
    this.failure = new Uint32Array(size);
    this.found = new Uint16Array(size);
    this.quiet = new Uint8Array(size);
    this.base = new Int32Array(patterns.length);
    this.parent = new Uint32Array(patterns.length);
    this.end = new Uint32Array(patterns.length);
    this.forks = new Uint32Array(1 << (32 - Math.clz32(2 * patterns.length)));
    this.window = patterns.length === 0 ? 0 : patterns.reduce((least, { length }) => Math.min(least, length), 255);
    this.shift = new Uint8Array(BLOCKS).fill(Math.max(0, this.window - 2));
    this.label = Buffer.alloc(size);
    this.grow(patterns);
    this.escapes = escapesOf(this.occurs);
  }

  /** Lets a compiled loop do {@link skip}, which takes most of the time. */
  use(search: CompiledSearch): void {
    const { shift, starts, label, branch, parent, first, end, forks, escapes, occurs } = this;
    const tables = [shift, starts, label, branch, parent, first, end, forks, escapes, IS_BASE64, occurs] as const;
    const handle = search.prepareSearch(...tables);
    this.compiled = { search, handle };
  }

  depthOf(node: number): number {
    return node === ROOT ? 0 : node - (this.base[this.branch[node] ?? 0] ?? 0);
  }

  /** Returns the length of the longest pattern that ends here; 0 for none. */
  foundAt(node: number): number {
    this.failureOf(node);
    return this.found[node] ?? 0;
  }

  /** Returns the number of that pattern. */
  patternAt(node: number): number {
    const length = this.foundAt(node);
    let end = node;
    while (this.depthOf(end) > length) end = this.failureOf(end);
    return this.branch[end] ?? 0;
  }

  /** Returns the longest beginning of a pattern, of at most `depth` bytes, with which the bytes end. */
  shortened(node: number, depth: number): number {
    let at = node;
    while (this.depthOf(at) > depth) at = this.failureOf(at);
    return at;
  }

  /** Returns the longest beginning of a pattern with which the bytes end after one more. */
  next(node: number, byte: number): number {
    for (let at = node; at !== ROOT; at = this.failureOf(at)) {
      const child = this.child(at, byte);
      if (child !== ROOT) return child;
    }
    return this.first[byte] ?? ROOT;
  }

  /** The number of bytes from `at` on that lead along a branch without the end of a pattern, as far as is known. */
  follow(node: number, bytes: Uint8Array, at: number): number {
    const { label, quiet, escapes } = this;
    const most = Math.min((this.end[this.branch[node] ?? 0] ?? 0) - node, bytes.length - at);
    let length = 0;
    while (
      length < most &&
      label[node + length + 1] === bytes[at + length] &&
      quiet[node + length + 1] === 1 &&
      escapes[bytes[at + length] ?? 0] === 0
    )
      length += 1;
    return length;
  }

  /**
   * Returns the first place from `at` on where a pattern may begin, as it is or escaped; past the last whole window all
   * may. @param run the number of characters of base64 before `bytes`, as far as that counts
   */
  skip(bytes: Uint8Array, at: number, run: number): number {
    const { window, shift, starts, compiled } = this;
    if (window === 0) return bytes.length;
    if (compiled) return compiled.search.skip(compiled.handle, window, bytes, at, run);
    const { length } = bytes;
    for (let index = at, escape = at - 1; ;) {
      escape = this.nextEscape(bytes, escape + 1);
      while (index + window <= Math.min(length, escape)) {
        const end = index + window;
        const distance = shift[block(bytes[end - 3] ?? 0, bytes[end - 2] ?? 0, bytes[end - 1] ?? 0)] ?? 0;
        if (distance !== 0) index += distance;
        else if (starts[block(bytes[index] ?? 0, bytes[index + 1] ?? 0, bytes[index + 2] ?? 0)] === 0) index += 1;
        else return index;
      }
      if (escape >= length) return index;
      const begin = this.beginBefore(bytes, Math.max(at, escape - window + 1), escape, run);
      // Before there a pattern may begin that goes on with the byte as it is.
      if (begin !== -1) return Math.min(begin, index);
    }
  }

  private nextEscape(bytes: Uint8Array, from: number): number {
    const { escapes } = this;
    let at = from;
    while (at < bytes.length && escapes[bytes[at] ?? 0] === 0) at += 1;
    return at;
  }

  /** Returns the first place from `from` on where a pattern may begin that goes on with an escape; -1 if there is none. */
  private beginBefore(bytes: Uint8Array, from: number, escape: number, run: number): number {
    const isBreak = this.escapes[bytes[escape] ?? 0] === LINE_BREAK;
    if (isBreak && runBefore(bytes, escape, 0, run) < LINE_WIDTH) return -1;
    for (let begin = from; begin < escape; begin++) {
      let node = this.first[bytes[begin] ?? 0] ?? ROOT;
      for (let at = begin + 1; at < escape && node !== ROOT; at++) node = this.child(node, bytes[at] ?? 0);
      if (node !== ROOT) return begin;
    }
    return isBreak ? -1 : escape;
  }

  private child(node: number, byte: number): number {
    // Most beginnings go on in one way only, and that is next to them.
    const { label, branch, parent, forks } = this;
    const near = node + 1;
    if (label[near] === byte && branch[near] === branch[node]) return near;
    const mask = forks.length - 1;
    for (let slot = slotOf(node, byte) & mask; ; slot = (slot + 1) & mask) {
      const found = forks[slot] ?? ROOT;
      if (found === ROOT || (label[found] === byte && parent[branch[found] ?? 0] === node)) return found;
    }
  }

  private parentOf(node: number): number {
    const branch = this.branch[node] ?? 0;
    return node > 1 && this.branch[node - 1] === branch ? node - 1 : (this.parent[branch] ?? ROOT);
  }

  private failureOf(node: number): number {
    const known = this.failure[node] ?? 0;
    if (known !== 0 || node === ROOT) return Math.max(0, known - 1);
    const parent = this.parentOf(node);
    const failure = parent === ROOT ? ROOT : this.next(this.failureOf(parent), this.label[node] ?? 0);
    this.failure[node] = failure + 1;
    const isPattern = this.end[this.branch[node] ?? 0] === node;
    const found = isPattern ? this.depthOf(node) : this.foundAt(failure);
    this.found[node] = found;
    this.quiet[node] = found === 0 ? 1 : 0;
    return failure;
  }

  private grow(patterns: readonly string[]): void {
    const { label, branch, base, parent, end, first } = this;
    // In one piece: several times as fast as to ask strings for each of their characters.
    const all = Buffer.from(patterns.join(""), "latin1");
    // By index: an iterator takes ten times as long for some millions of bytes.
    for (let at = 0; at < all.length; at++) this.occurs[all[at] ?? 0] = 1;
    /** The branches on which the pattern before lies. */
    const path: { readonly branch: number; readonly shared: number }[] = [];
    let last = ROOT;
    for (let number = 0, from = 0, former = 0, formerLength = 0; number < patterns.length; number++) {
      const length = patterns[number]?.length ?? 0;
      const most = Math.min(length, formerLength);
      let shared = 0;
      while (shared < most && all[from + shared] === all[former + shared]) shared += 1;
      while ((path.at(-1)?.shared ?? -1) >= shared) path.pop();
      const node = shared === 0 ? ROOT : (base[path.at(-1)?.branch ?? 0] ?? 0) + shared;
      const start = last + 1;
      last += length - shared;
      all.copy(label, start, from + shared, from + length);
      branch.fill(number, start, last + 1);
      base[number] = start - shared - 1;
      parent[number] = node;
      end[number] = last;
      path.push({ branch: number, shared });
      if (node === ROOT) first[all[from] ?? 0] = start;
      else this.fork(node, all[from + shared] ?? 0, start);
      this.slow(all, from, shared);
      former = from;
      formerLength = length;
      from += length;
    }
  }

  private fork(node: number, byte: number, child: number): void {
    const { forks } = this;
    const mask = forks.length - 1;
    let slot = slotOf(node, byte) & mask;
    while (forks[slot] !== ROOT) slot = (slot + 1) & mask;
    forks[slot] = child;
  }

  /** The window may not move past three bytes of the pattern. The pattern before has seen to the `shared` bytes. */
  private slow(all: Uint8Array, from: number, shared: number): void {
    const { shift, starts, window } = this;
    for (let end = Math.max(3, shared + 1); end <= window; end++) {
      const at = block(all[from + end - 3] ?? 0, all[from + end - 2] ?? 0, all[from + end - 1] ?? 0);
      if ((shift[at] ?? 0) > window - end) shift[at] = window - end;
      if (end === 3) starts[at] = 1;
    }
  }
}

/** Returns a number for three bytes; others may have it, too. */
function block(first: number, second: number, third: number): number {
  return ((third << 10) ^ (second << 5) ^ first) & (BLOCKS - 1);
}

function slotOf(node: number, byte: number): number {
  return (Math.imul(node, 0x9e37_79b1) ^ Math.imul(byte, 0x85eb_ca6b)) >>> 7;
}
