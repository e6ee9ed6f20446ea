/**
 * The tables by which patterns are found: all patterns in one trie (Aho and Corasick, 1975), and the distances by which a
 * search may skip bytes (Wu and Manber, 1994).
 *
 * A node of the trie stands for a prefix of a pattern, and is a number. The patterns are sorted. Each has a branch: the nodes
 * of those prefixes that the pattern before it does not have. They are numbered in a row, so that most steps of a search lead
 * to the next number. For the patterns `abc` and `abx`:
 *
 *     node      1    2    3     4
 *     prefix    a    ab   abc   abx
 *     branch    0    0    0     1        branch 1 leaves branch 0 at node 2
 *
 * The tables need five bytes of memory for each byte of a pattern, and six more for each node that a stream reaches.
 */
import { ROOT, type CompiledSearch } from "./masking-model.ts";

/** The number of hash values of three bytes. */
const BLOCK_COUNT = 1 << 16;

const MAX_WINDOW = 255;

export class PatternTables {
  /** The length of the shortest pattern, at most 255; 0 without patterns. The search looks at a window of this length at once. */
  readonly window: number;
  /** By node: the last byte of its prefix. */
  protected readonly labels: Buffer;
  /** By node: its branch. */
  protected readonly branches: Uint32Array;
  /** By branch: the difference between a node's number and the length of its prefix. */
  protected readonly branchOffsets: Uint32Array;
  /** By branch: the node at which it leaves another branch; ROOT if its pattern shares no prefix. */
  protected readonly branchParents: Uint32Array;
  /** By branch: its last node, which stands for the whole pattern. */
  protected readonly branchEnds: Uint32Array;
  /** By byte: the node for this byte alone; ROOT if no pattern begins with it. */
  protected readonly firstNodes = new Uint32Array(256);
  /** A hash table of the first nodes of branches, by their parent and their byte. Its size is a power of two. */
  protected readonly forks: Uint32Array;
  /** By the hash value of the last three bytes in the window: the distance by which the window may move. */
  protected readonly shifts: Uint8Array;
  /** By the hash value of three bytes: 1 if a pattern begins with them. */
  protected readonly patternStarts = new Uint8Array(BLOCK_COUNT);
  /** By byte: 1 if a pattern contains it. */
  protected readonly patternBytes = new Uint8Array(256);

  /** @param patterns bytes as characters (Latin-1), sorted, each once, of 3 to 65,534 bytes @param search fills the tables faster */
  constructor(patterns: readonly string[], search: CompiledSearch | undefined) {
    const size = patterns.reduce((sum, { length }) => sum + length, 2);
    this.window =
      patterns.length === 0 ? 0 : patterns.reduce((shortest, { length }) => Math.min(shortest, length), MAX_WINDOW);
    this.labels = Buffer.alloc(size);
    this.branches = new Uint32Array(size);
    this.branchOffsets = new Uint32Array(patterns.length);
    this.branchParents = new Uint32Array(patterns.length);
    this.branchEnds = new Uint32Array(patterns.length);
    this.forks = new Uint32Array(1 << (32 - Math.clz32(2 * patterns.length)));
    this.shifts = new Uint8Array(BLOCK_COUNT).fill(Math.max(0, this.window - 2));
    // Reading from one buffer is several times as fast as reading the characters of strings.
    const bytes = Buffer.from(patterns.join(""), "latin1");
    const lengths = Uint32Array.from(patterns, ({ length }) => length);
    if (search === undefined) this.fill(bytes, lengths);
    else this.fillCompiled(search, bytes, lengths);
  }

  /** Returns the length of a node's prefix. */
  depthOf(node: number): number {
    return node === ROOT ? 0 : node - (this.branchOffsets[this.branches[node] ?? 0] ?? 0);
  }

  /** Returns the node of a prefix that is longer by one byte; ROOT if no pattern continues with the byte. */
  protected childOf(node: number, byte: number): number {
    const { labels, branches, branchParents, forks } = this;
    const nextInBranch = node + 1;
    if (labels[nextInBranch] === byte && branches[nextInBranch] === branches[node]) return nextInBranch;
    const mask = forks.length - 1;
    for (let slot = hashOfFork(node, byte) & mask; ; slot = (slot + 1) & mask) {
      const child = forks[slot] ?? ROOT;
      if (child === ROOT || (labels[child] === byte && branchParents[branches[child] ?? 0] === node)) return child;
    }
  }

  private fillCompiled(search: CompiledSearch, bytes: Buffer, lengths: Uint32Array): void {
    const { shifts, patternStarts, labels, branches, branchParents, firstNodes, branchEnds, forks } = this;
    const { patternBytes, branchOffsets, window } = this;
    const byNode = [labels, branches, branchParents, firstNodes, branchEnds, forks];
    search.buildSearch(shifts, patternStarts, ...byNode, patternBytes, branchOffsets, bytes, lengths, window);
  }

  /** Adds a branch for each pattern. `build_search` in native/masking/search.inc does the same. */
  private fill(bytes: Buffer, lengths: Uint32Array): void {
    const { labels, branches, branchOffsets, branchParents, branchEnds, firstNodes } = this;
    // An iterator takes ten times as long for some millions of bytes.
    for (let index = 0; index < bytes.length; index++) this.patternBytes[bytes[index] ?? 0] = 1;
    let lastNode = ROOT;
    let start = 0;
    let formerStart = 0;
    let formerLength = 0;
    for (let branch = 0; branch < lengths.length; branch++) {
      const length = lengths[branch] ?? 0;
      const shared = commonLength(bytes, start, formerStart, Math.min(length, formerLength));
      const parent = shared === 0 ? ROOT : this.nodeInBranchBefore(branch, shared);
      const firstNode = lastNode + 1;
      lastNode += length - shared;
      bytes.copy(labels, firstNode, start + shared, start + length);
      branches.fill(branch, firstNode, lastNode + 1);
      branchOffsets[branch] = firstNode - shared - 1;
      branchParents[branch] = parent;
      branchEnds[branch] = lastNode;
      if (parent === ROOT) firstNodes[bytes[start] ?? 0] = firstNode;
      else this.addFork(parent, bytes[start + shared] ?? 0, firstNode);
      this.limitShifts(bytes, start, shared);
      formerStart = start;
      formerLength = length;
      start += length;
    }
  }

  /** Returns the node for the first `depth` bytes of the pattern before a branch's pattern. */
  private nodeInBranchBefore(branch: number, depth: number): number {
    const { branchOffsets, branches, branchParents } = this;
    let ancestor = branch - 1;
    while (this.depthOf(branchParents[ancestor] ?? ROOT) >= depth)
      ancestor = branches[branchParents[ancestor] ?? ROOT] ?? 0;
    return (branchOffsets[ancestor] ?? 0) + depth;
  }

  private addFork(parent: number, byte: number, child: number): void {
    const { forks } = this;
    const mask = forks.length - 1;
    let slot = hashOfFork(parent, byte) & mask;
    while (forks[slot] !== ROOT) slot = (slot + 1) & mask;
    forks[slot] = child;
  }

  /**
   * Keeps the window from moving past any three bytes of the pattern that begins at `start`. Its first `shared` bytes need
   * nothing, since the pattern before it begins with them, too.
   */
  private limitShifts(bytes: Uint8Array, start: number, shared: number): void {
    const { shifts, patternStarts, window } = this;
    for (let length = Math.max(3, shared + 1); length <= window; length++) {
      const end = start + length;
      const block = hashOfBlock(bytes[end - 3] ?? 0, bytes[end - 2] ?? 0, bytes[end - 1] ?? 0);
      if ((shifts[block] ?? 0) > window - length) shifts[block] = window - length;
      if (length === 3) patternStarts[block] = 1;
    }
  }
}

export function hashOfBlock(first: number, second: number, third: number): number {
  return ((third << 10) ^ (second << 5) ^ first) & (BLOCK_COUNT - 1);
}

function hashOfFork(parent: number, byte: number): number {
  return (Math.imul(parent, 0x9e37_79b1) ^ Math.imul(byte, 0x85eb_ca6b)) >>> 7;
}

/** Returns how many bytes from two indexes on are the same, at most `limit`. */
function commonLength(bytes: Uint8Array, start: number, otherStart: number, limit: number): number {
  let length = 0;
  while (length < limit && bytes[start + length] === bytes[otherStart + length]) length += 1;
  return length;
}
