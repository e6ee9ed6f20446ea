/**
 * Finds all patterns in one pass over bytes (Aho and Corasick, 1975), and passes quickly over what is none (Wu and
 * Manber, 1994). Flat: some 15 bytes for each byte of a pattern, made in a few milliseconds; pure.
 */

/** Where nothing of a pattern was read yet. */
export const ROOT = 0;

const UNKNOWN = -1;
/** Blocks of three bytes are told apart by as many bits. */
const BLOCKS = 1 << 16;

/** The beginnings of all patterns as a tree, and for each the longest beginning that ends with it. */
export class Automaton {
  /** The length of the shortest pattern, at most 255; 0 where there is none. */
  readonly window: number;
  /** The last byte of each beginning. */
  private readonly label: Uint8Array;
  /** Its length. */
  private readonly depth: Uint16Array;
  private readonly parent: Int32Array;
  /** The longest beginning that is a proper end of this one: worked out when it is first asked for. */
  private readonly failure: Int32Array;
  /** The length of the longest pattern that ends here: 0 for none. Known where `failure` is, and where a pattern ends. */
  private readonly found: Uint16Array;
  private readonly first = new Int32Array(256);
  /** A hash table of the children that do not follow their parent: beginning and byte, then the child. */
  private readonly branches: Int32Array;
  /** How far the window may move if its last three bytes are these. */
  private readonly shift: Uint8Array;
  /** Which three bytes a pattern begins with. */
  private readonly starts: Uint8Array;
  /** Where each pattern ends, in ascending order. */
  private readonly ends: Int32Array;

  /** @param patterns bytes as characters (Latin-1), sorted, each once, of 3 to 65,535 bytes */
  constructor(patterns: readonly string[]) {
    const size = patterns.reduce((sum, { length }) => sum + length, 2);
    this.label = new Uint8Array(size);
    this.depth = new Uint16Array(size);
    this.parent = new Int32Array(size);
    this.failure = new Int32Array(size).fill(UNKNOWN);
    this.found = new Uint16Array(size);
    this.branches = new Int32Array(2 << (32 - Math.clz32(2 * patterns.length)));
    this.ends = new Int32Array(patterns.length);
    this.window = patterns.length === 0 ? 0 : patterns.reduce((least, { length }) => Math.min(least, length), 255);
    this.shift = new Uint8Array(BLOCKS).fill(Math.max(0, this.window - 2));
    this.starts = new Uint8Array(BLOCKS);
    this.grow(patterns);
    this.failure[ROOT] = ROOT;
  }

  /** How much of a pattern was read. */
  depthOf(node: number): number {
    return this.depth[node] ?? 0;
  }

  /** The length of the longest pattern that ends here; 0 for none. */
  foundAt(node: number): number {
    this.failureOf(node);
    return this.found[node] ?? 0;
  }

  /** The number of the longest pattern that ends here, where one does. */
  patternAt(node: number): number {
    const length = this.foundAt(node);
    let end = node;
    while (this.depthOf(end) > length) end = this.failureOf(end);
    let low = 0;
    let high = this.ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.ends[middle] ?? 0) < end) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The last bytes that were read, as many as are asked for and the beginning has. */
  tail(node: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = node, index = length - 1; index >= 0; index--) {
      bytes[index] = this.label[at] ?? 0;
      at = this.parent[at] ?? ROOT;
    }
    return bytes;
  }

  /** The longest beginning of a pattern with which the bytes end after one more. */
  next(node: number, byte: number): number {
    for (let at = node; at !== ROOT; at = this.failureOf(at)) {
      const child = this.child(at, byte);
      if (child !== ROOT) return child;
    }
    return this.first[byte] ?? ROOT;
  }

  /** The first place from `at` on where a pattern may begin; past the last whole window all may. */
  skip(bytes: Uint8Array, at: number): number {
    const { window, shift, starts } = this;
    if (window === 0) return bytes.length;
    const last = bytes.length - window;
    let index = at;
    while (index <= last) {
      const end = index + window;
      const distance = shift[block(bytes[end - 3] ?? 0, bytes[end - 2] ?? 0, bytes[end - 1] ?? 0)] ?? 0;
      if (distance !== 0) index += distance;
      else if (starts[block(bytes[index] ?? 0, bytes[index + 1] ?? 0, bytes[index + 2] ?? 0)] === 0) index += 1;
      else break;
    }
    return index;
  }

  private child(node: number, byte: number): number {
    // Most beginnings go on in one way only, and that is next to them.
    const near = node + 1;
    if (this.label[near] === byte && this.parent[near] === node) return near;
    const { branches } = this;
    const mask = branches.length - 2;
    const key = (node << 8) | byte;
    for (let slot = slotOf(key) & mask; ; slot = (slot + 2) & mask) {
      const found = branches[slot];
      if (found === key) return branches[slot + 1] ?? ROOT;
      if (found === 0 || found === undefined) return ROOT;
    }
  }

  private failureOf(node: number): number {
    const known = this.failure[node] ?? ROOT;
    if (known !== UNKNOWN) return known;
    const parent = this.parent[node] ?? ROOT;
    const failure = parent === ROOT ? ROOT : this.next(this.failureOf(parent), this.label[node] ?? 0);
    this.failure[node] = failure;
    // A pattern that ends in the middle of another; the longer one is there already.
    if (this.found[node] === 0) this.found[node] = this.foundAt(failure);
    return failure;
  }

  private grow(patterns: readonly string[]): void {
    const { label, depth, parent, found, first, ends, window, shift, starts } = this;
    /** The beginnings of the pattern before, by length. */
    const path = [ROOT];
    let last = ROOT;
    let former = "";
    patterns.forEach((pattern, number) => {
      let length = 0;
      while (length < former.length && pattern.charCodeAt(length) === former.charCodeAt(length)) length += 1;
      for (; length < pattern.length; length++) {
        const node = path[length] ?? ROOT;
        const byte = pattern.charCodeAt(length);
        last += 1;
        label[last] = byte;
        depth[last] = length + 1;
        parent[last] = node;
        path[length + 1] = last;
        if (node === ROOT) first[byte] = last;
        else if (last !== node + 1) this.branch(node, byte, last);
      }
      found[last] = pattern.length;
      ends[number] = last;
      former = pattern;
      for (let end = 3; end <= window; end++) {
        const at = block(pattern.charCodeAt(end - 3), pattern.charCodeAt(end - 2), pattern.charCodeAt(end - 1));
        if ((shift[at] ?? 0) > window - end) shift[at] = window - end;
        if (end === 3) starts[at] = 1;
      }
    });
  }

  private branch(node: number, byte: number, child: number): void {
    const { branches } = this;
    const mask = branches.length - 2;
    const key = (node << 8) | byte;
    let slot = slotOf(key) & mask;
    while (branches[slot] !== 0) slot = (slot + 2) & mask;
    branches[slot] = key;
    branches[slot + 1] = child;
  }
}

/** A number for three bytes: that of others, too, which costs a look and finds nothing that is not there. */
function block(first: number, second: number, third: number): number {
  return ((third << 10) ^ (second << 5) ^ first) & (BLOCKS - 1);
}

function slotOf(key: number): number {
  return (Math.imul(key, 0x9e37_79b1) >>> 7) << 1;
}
