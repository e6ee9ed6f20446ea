import { MATCH_NUMBERS, ROOT, SHALLOW, type Automaton, type FoundMatches } from "./automaton.ts";
import { Candidate, type OnMatch } from "./candidate.ts";
import { END, MORE, type Unit } from "./encodings/decoder.ts";
import { ENCODINGS, LINE_ENDS, PLAIN, WRAPPED, type Encoding } from "./encodings/encodings.ts";
import { base64Before, ESCAPE, LINE_BREAK, LINE_WIDTH, RETURN } from "./escapes.ts";

/** Keeps the time linear for secrets made to defeat it. No secret is lost: an encoding has eight candidates at most. */
const MOST_CANDIDATES = 128;

/** The bytes of a chunk that are copied behind held ones, besides as many as those. */
const SEAM = 1024;

const NOTHING = new Uint8Array();
const BY_START: readonly (readonly Encoding[])[] = Array.from({ length: 256 }, (_, byte) =>
  ENCODINGS.filter(({ starts }) => starts.includes(byte)),
);

/** Finds patterns in one stream of chunks, plain and encoded, in linear time and memory (see ARCHITECTURE.md). */
export class Finder {
  position = 0;
  /** The longest possible beginning of a secret with which these end; a new array after each `read`. */
  held: Uint8Array = NOTHING;
  /** The number of characters of base64 before `held`, up to {@link LINE_WIDTH}. */
  run = 0;
  private node = ROOT;
  private candidates: Candidate[] = [];
  /** The candidates of the compiled search. */
  private compiledCandidates: Uint8Array | undefined;
  /** The bytes of the current `read`, `held` and the chunk, and their offset in the stream. */
  private bytes: Uint8Array = NOTHING;
  private base = 0;
  private isEnd = false;
  private readonly automatonOf: () => Automaton;
  private readonly onMatch: OnMatch;
  private readonly least: number;

  /** @param least as of {@link CompiledSearch.find}: joined matches are reported as plain ones */
  constructor(automatonOf: () => Automaton, onMatch: OnMatch, least = -1) {
    this.automatonOf = automatonOf;
    this.onMatch = onMatch;
    this.least = least;
  }

  /** Reports the longest of the matches with the same end. */
  read(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const { length } = this.held;
      const isInFront = length <= at;
      // Copies the chunk's beginning alone behind the held bytes, not all of it.
      const end = isInFront ? chunk.length : Math.min(chunk.length, 2 * at + length + SEAM);
      const bytes = isInFront ? chunk.subarray(at - length) : Buffer.concat([this.held, chunk.subarray(at, end)]);
      this.readBehindHeld(bytes);
      at = end;
    }
  }

  /** @param bytes `held` and more */
  private readBehindHeld(bytes: Uint8Array): void {
    const automaton = this.automatonOf();
    this.base = this.position - this.held.length;
    // Candidates that were begun before the search was compiled are stepped as they were begun.
    const found = this.candidates.length > 0 ? undefined : this.findCompiled(bytes, false);
    if (found !== undefined) {
      this.compiledCandidates = found.candidates;
      this.node = found.node;
      this.position = this.base + bytes.length;
      this.keep(bytes, found.from);
      return;
    }
    this.bytes = bytes;
    for (const candidate of this.candidates.splice(0)) this.step(candidate, this.position);
    this.readPlain(bytes, this.held.length, automaton);
    this.position = this.base + bytes.length;
    const start = this.candidates.reduce(
      (least, candidate) => Math.min(least, candidate.start),
      this.position - automaton.depthOf(this.node),
    );
    this.keep(bytes, start - this.base);
    this.bytes = NOTHING;
  }

  private keep(bytes: Uint8Array, from: number): void {
    this.run = base64Before(bytes, from, this.run);
    this.held = from === bytes.length ? NOTHING : new Uint8Array(bytes.subarray(from)); // a copy
  }

  /** @returns undefined if the search is not compiled */
  private findCompiled(bytes: Uint8Array, isEnd: boolean): FoundMatches | undefined {
    const { compiledCandidates, held, node, run, least, base } = this;
    const request = { bytes, before: held.length, node, run, least, isEnd };
    const found = this.automatonOf().find(compiledCandidates, request);
    const matches: ArrayLike<number> = found?.matches ?? [];
    for (let at = 0; at < matches.length; at += MATCH_NUMBERS) {
      const encoding = least === -1 ? (ENCODINGS[matches[at + 3] ?? -1] ?? PLAIN) : PLAIN;
      const isShell = matches[at + 4] === 1;
      this.onMatch(
        base + (matches[at] ?? 0),
        base + (matches[at + 1] ?? 0),
        matches[at + 2] ?? ROOT,
        encoding,
        isShell,
      );
    }
    return found;
  }

  /** Reports matches that are certain only if the stream ends here. It may continue anyway. */
  finish(): void {
    const { candidates } = this;
    this.base = this.position - this.held.length;
    if (candidates.length === 0) {
      if (this.compiledCandidates !== undefined) this.findCompiled(this.held, true);
      return;
    }
    this.bytes = this.held;
    this.isEnd = true;
    this.candidates = [];
    for (const candidate of candidates) this.step(candidate.copy(), this.position);
    this.candidates = candidates;
    this.isEnd = false;
    this.bytes = NOTHING;
  }

  private readPlain(bytes: Uint8Array, from: number, automaton: Automaton): void {
    const { length } = bytes;
    const { onMatch, base } = this;
    const { escapes } = automaton;
    const lastWindow = length - automaton.window;
    let { node } = this;
    let depth = automaton.depthOf(node);
    let index = from;
    while (true) {
      if (this.candidates.length === 0) {
        if (node === ROOT) index = automaton.skip(bytes, index, this.run);
        else {
          ({ node, index } = automaton.follow(node, bytes, index));
          depth = automaton.depthOf(node);
        }
      }
      if (index >= length) break;
      const byte = bytes[index] ?? 0;
      if (escapes[byte] === ESCAPE || (escapes[byte] === LINE_BREAK && this.isBreakToRead(index)))
        this.readEscaped(byte, index, node, automaton);
      node = automaton.next(node, byte);
      index += 1;
      const former = depth;
      depth = automaton.depthOf(node);
      const size = automaton.matchLengthAt(node);
      if (size !== 0) onMatch(base + index - size, base + index, node, PLAIN, false);
      // The pattern did not continue, and the one that may begin in its place is still short: skipping is faster.
      const again = index - depth;
      if (depth <= former && depth <= SHALLOW && again >= 0 && again <= lastWindow && this.candidates.length === 0) {
        if (isPlain(bytes, again, index, escapes)) {
          index = again;
          node = ROOT;
          depth = 0;
        }
      }
    }
    this.node = node;
  }

  /** Returns false for most line breaks: they stand neither in base64 nor in what a candidate reads. */
  private isBreakToRead(index: number): boolean {
    return this.candidates.length > 0 || base64Before(this.bytes, index, this.run) >= LINE_WIDTH;
  }

  /** Steps the candidates that wait for a byte, and adds those that can begin with an escape there. */
  private readEscaped(byte: number, index: number, node: number, automaton: Automaton): void {
    const at = this.base + index;
    const current = this.candidates.filter((candidate) => candidate.at === at);
    if (current.length > 0) this.candidates = this.candidates.filter((candidate) => candidate.at !== at);
    for (const candidate of current) this.step(candidate, at + 1);
    for (const encoding of BY_START[byte] ?? []) {
      // An older candidate of this encoding has read the bytes before as well.
      if (current.some((candidate) => candidate.encoding === encoding)) continue;
      const depth = this.depthWithout(encoding, index, automaton.depthOf(node), automaton);
      this.step(new Candidate(encoding, automaton, at, automaton.shortened(node, depth)), at + 1);
    }
  }

  private depthWithout({ special }: Encoding, index: number, most: number, { escapes }: Automaton): number {
    let depth = 0;
    while (depth < most) {
      const byte = this.bytes[index - depth - 1] ?? 0;
      if (special.has(byte) && escapes[byte] !== 0) break;
      depth += 1;
    }
    return depth;
  }

  /** Lets a candidate read to the first escape from `to` on. Keeps it if it may still become a secret. */
  private step(candidate: Candidate, to: number): void {
    const { encoding } = candidate;
    const { bytes, base } = this;
    let from = 0;
    const peek = (index: number): number => bytes[from + index] ?? (this.isEnd ? END : MORE);
    for (;;) {
      if (!candidate.acceptPlain(bytes, base, this.onMatch)) return;
      if (candidate.at >= to || candidate.at >= base + bytes.length) break;
      from = candidate.at - base;
      const first = bytes[from] ?? 0;
      const units = this.unitsOf(encoding, first, from, peek);
      if (units === undefined) break;
      const [unit, ...others] = units;
      for (const other of others) {
        const copy = candidate.copy();
        if (copy.accept(other, first, this.onMatch)) this.step(copy, to);
      }
      if (unit === undefined || !candidate.accept(unit, first, this.onMatch)) return;
    }
    for (let index = 0; index < this.candidates.length;) {
      const other = this.candidates[index];
      if (other?.covers(candidate) === true) return;
      if (other !== undefined && candidate.covers(other)) this.candidates.splice(index, 1);
      else index += 1;
    }
    if (this.candidates.length < MOST_CANDIDATES) this.candidates.push(candidate);
  }

  private unitsOf(
    encoding: Encoding,
    first: number,
    from: number,
    peek: (index: number) => number,
  ): readonly Unit[] | undefined {
    if (encoding === LINE_ENDS) return [{ length: 1, bytes: [RETURN] }];
    if (encoding === WRAPPED) {
      const isBreak = base64Before(this.bytes, from, this.run) >= LINE_WIDTH;
      return [{ length: 1, bytes: isBreak ? [] : [first] }];
    }
    const units = encoding.decoder?.decode(peek);
    return this.isEnd ? units?.filter(({ length }) => from + length <= this.bytes.length) : units;
  }
}

function isPlain(bytes: Uint8Array, from: number, to: number, escapes: Uint8Array): boolean {
  for (let at = from; at < to; at++) if (escapes[bytes[at] ?? 0] !== 0) return false;
  return true;
}
