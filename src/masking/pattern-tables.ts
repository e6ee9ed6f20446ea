/**
 * The tables by which automaton.ts searches for patterns: a trie of all patterns (Aho and Corasick, 1975), and the
 * distances by which a search may skip bytes (Wu and Manber, 1994). They are arrays of numbers, because the search in C
 * reads them as well.
 *
 * A node of the trie is a number, and stands for a prefix of a pattern. The patterns are sorted. Each has a branch: the
 * nodes for the prefixes that it does not share with the pattern before it. The nodes of a branch have successive
 * numbers, so that most steps of a search lead to the next number. For the patterns `abc` and `abx`:
 *
 *     node      1    2    3     4
 *     prefix    a    ab   abc   abx
 *     branch    0    0    0     1        branch 1 leaves branch 0 at node 2
 *
 * The tables need five bytes of memory for each byte of a pattern. The automaton needs six more for each node that a
 * search reaches.
 */
import { ROOT, type CompiledSearch } from "./masking-model.ts";

/** The number of different hash values of blocks. A block is three bytes in a row. */
const BLOCK_COUNT = 1 << 16;

/** Distances are stored in bytes, so that the window must not be longer. */
const MAX_WINDOW = 255;

export class PatternTables {
  /**
   * The length of the shortest pattern, at most 255; 0 without patterns. A search skips bytes by moving a window of
   * this length.
   */
  readonly window: number;
  /** By node: the last byte of its prefix. */
  protected readonly labels: Buffer;
  /** By node: its branch. */
  protected readonly branches: Uint32Array;
  /** By branch: the number of a node minus the length of its prefix, which is the same for all nodes of a branch. */
  protected readonly branchOffsets: Uint32Array;
  /** By branch: the node at which it leaves another branch; ROOT if its pattern shares no prefix. */
  protected readonly branchParents: Uint32Array;
  /** By branch: its last node, which stands for the whole pattern. */
  protected readonly branchEnds: Uint32Array;
  /** By byte: the node for this byte alone; ROOT if no pattern begins with it. */
  protected readonly firstNodes = new Uint32Array(256);
  /**
   * A hash table of the first nodes of branches, by their parent and last byte. Its size is a power of two; 0 is a free
   * slot.
   */
  protected readonly forks: Uint32Array;
  /**
   * By the hash value of the last block in the window: the distance by which the window may move without missing a
   * pattern.
   */
  protected readonly shifts: Uint8Array;
  /** By the hash value of a block: 1 if a pattern begins with it. */
  protected readonly patternStarts = new Uint8Array(BLOCK_COUNT);
  /** By byte: 1 if a pattern contains it. */
  protected readonly patternBytes = new Uint8Array(256);

  /**
   * @param patterns bytes as characters (Latin-1), sorted, without duplicates, of 3 to 65,534 bytes each
   * @param search the compiled search, which fills the tables faster; undefined if the addon is not available
   */
  constructor(patterns: readonly string[], search: CompiledSearch | undefined) {
    // One entry for each node and for the root, and one more, because a search reads the entry after that of a node.
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
    // Bytes of one buffer can be read several times as fast as characters of strings.
    const bytes = Buffer.from(patterns.join(""), "latin1");
    const lengths = Uint32Array.from(patterns, ({ length }) => length);
    if (search === undefined) this.fill(bytes, lengths);
    else this.fillCompiled(search, bytes, lengths);
  }

  /** Returns the length of a node's prefix. */
  findDepth(node: number): number {
    return node === ROOT ? 0 : node - (this.branchOffsets[this.branches[node] ?? 0] ?? 0);
  }

  /** Returns the node whose prefix is longer by one byte; ROOT if no pattern continues with the byte. */
  protected findChild(node: number, byte: number): number {
    const { labels, branches, branchParents, forks } = this;
    const nextInBranch = node + 1;
    if (labels[nextInBranch] === byte && branches[nextInBranch] === branches[node]) return nextInBranch;
    const mask = forks.length - 1;
    for (let slot = hashFork(node, byte) & mask; ; slot = (slot + 1) & mask) {
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
    // A loop with `of` takes ten times as long for millions of bytes.
    for (let index = 0; index < bytes.length; index++) this.patternBytes[bytes[index] ?? 0] = 1;
    let lastNode = ROOT;
    let start = 0;
    let previousStart = 0;
    let previousLength = 0;
    for (let branch = 0; branch < lengths.length; branch++) {
      const length = lengths[branch] ?? 0;
      const sharedLength = countCommonBytes(bytes, start, previousStart, Math.min(length, previousLength));
      const parent = sharedLength === 0 ? ROOT : this.nodeOfPreviousPattern(branch, sharedLength);
      const firstNode = lastNode + 1;
      lastNode += length - sharedLength;
      bytes.copy(labels, firstNode, start + sharedLength, start + length);
      branches.fill(branch, firstNode, lastNode + 1);
      branchOffsets[branch] = firstNode - sharedLength - 1;
      branchParents[branch] = parent;
      branchEnds[branch] = lastNode;
      if (parent === ROOT) firstNodes[bytes[start] ?? 0] = firstNode;
      else this.addFork(parent, bytes[start + sharedLength] ?? 0, firstNode);
      this.limitShifts(bytes, start, sharedLength);
      previousStart = start;
      previousLength = length;
      start += length;
    }
  }

  /** Returns the node for the first `depth` bytes of the pattern that precedes the pattern of a branch. */
  private nodeOfPreviousPattern(branch: number, depth: number): number {
    const { branchOffsets, branches, branchParents } = this;
    let ancestor = branch - 1;
    while (this.findDepth(branchParents[ancestor] ?? ROOT) >= depth)
      ancestor = branches[branchParents[ancestor] ?? ROOT] ?? 0;
    return (branchOffsets[ancestor] ?? 0) + depth;
  }

  /** Records that a branch leaves another one at the node `parent`. */
  private addFork(parent: number, byte: number, child: number): void {
    const { forks } = this;
    const mask = forks.length - 1;
    let slot = hashFork(parent, byte) & mask;
    while (forks[slot] !== ROOT) slot = (slot + 1) & mask;
    forks[slot] = child;
  }

  /**
   * Limits the distances so that the window never moves past the pattern that begins at `start`. This was done before
   * for its first `sharedLength` bytes, with which the previous pattern begins as well.
   */
  private limitShifts(bytes: Uint8Array, start: number, sharedLength: number): void {
    const { shifts, patternStarts, window } = this;
    for (let length = Math.max(3, sharedLength + 1); length <= window; length++) {
      const end = start + length;
      const block = hashBlock(bytes[end - 3] ?? 0, bytes[end - 2] ?? 0, bytes[end - 1] ?? 0);
      if ((shifts[block] ?? 0) > window - length) shifts[block] = window - length;
      if (length === 3) patternStarts[block] = 1;
    }
  }
}

/** Returns the hash value of three bytes in a row. native/masking/search.inc has the same function. */
export function hashBlock(first: number, second: number, third: number): number {
  return ((third << 10) ^ (second << 5) ^ first) & (BLOCK_COUNT - 1);
}

function hashFork(parent: number, byte: number): number {
  return (Math.imul(parent, 0x9e37_79b1) ^ Math.imul(byte, 0x85eb_ca6b)) >>> 7;
}

/** Returns the number of equal bytes from two indexes on, up to `limit`. */
function countCommonBytes(bytes: Uint8Array, start: number, otherStart: number, limit: number): number {
  let length = 0;
  while (length < limit && bytes[start + length] === bytes[otherStart + length]) length += 1;
  return length;
}
