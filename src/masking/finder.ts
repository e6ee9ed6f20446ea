/**
 * Finds secrets in one stream of bytes that arrives in chunks, such as the output of a program. It finds plain text,
 * and the encodings of encodings.ts. stream.ts uses it to mask the secrets, and `sophia-run scan` to report them.
 *
 * The caller creates a `Finder` for each stream, calls `read` with each chunk, and `finish` at the end. The finder
 * calls `onMatch` for each match. A secret may begin in one chunk and end in a later one. So the finder keeps the bytes
 * with which a secret may have begun, and searches them again together with the next chunk. Its time is linear in the
 * length of the stream.
 *
 * The search itself is C code (native/masking/finder.inc). Without the addon it is steps.ts, which finds the same
 * matches.
 */
import type { Automaton } from "./automaton.ts";
import { reportMatches, type CompiledMatches } from "./compiled-search.ts";
import { countBase64Before } from "./escapes.ts";
import { ROOT, type Beginning, type OnMatch, type SearchEnd } from "./masking-model.ts";
import { StepSearch, type Passage } from "./steps.ts";

/**
 * The number of bytes of a chunk that are appended to the kept bytes, in addition to as many bytes as were kept. Most
 * secrets are shorter, so that one copy is enough.
 */
const SEAM_BYTES = 1024;

/** The value of `minEncodedLength` with which the search reports each match by itself, with its encoding. */
const ALL_MATCHES = -1;

const NO_BYTES = new Uint8Array();

export class Finder {
  /** The number of bytes of the stream that were read. */
  position = 0;
  /**
   * The last bytes of the stream, from the first byte on with which a secret may have begun. Each `read` sets a new
   * array.
   */
  keptBytes: Uint8Array = NO_BYTES;
  /** The number of base64 characters directly before `keptBytes`, up to LINE_WIDTH. */
  base64Before = 0;
  /** The automaton's node after the last byte. */
  private node = ROOT;
  /** The memory of the compiled search for its candidates; undefined if it has none. */
  private compiledCandidates: Uint8Array | undefined;
  /** The search in TypeScript, once this stream has needed it. */
  private stepSearch: StepSearch | undefined;
  private readonly getAutomaton: () => Automaton;
  private readonly onMatch: OnMatch;
  private readonly minEncodedLength: number;

  /**
   * @param getAutomaton is called at the first byte, so that the automaton may be built after the stream was opened
   * @param minEncodedLength for a caller that needs only the places of secrets. The compiled search may then join
   *   matches that overlap, report all of them as plain text, and omit encoded matches of fewer bytes than this. That
   *   is faster
   */
  constructor(getAutomaton: () => Automaton, onMatch: OnMatch, minEncodedLength = ALL_MATCHES) {
    this.getAutomaton = getAutomaton;
    this.onMatch = onMatch;
    this.minEncodedLength = minEncodedLength;
  }

  /**
   * Reports the matches that end in the chunk. If several in the same encoding have the same end, it reports the
   * longest.
   *
   * @param isContinued false if the caller calls neither `read` nor `finish` after this, so that no bytes need to be
   *   kept
   */
  read(chunk: Uint8Array, isContinued = true): void {
    for (let offset = 0; offset < chunk.length;) {
      const keptLength = this.keptBytes.length;
      if (keptLength <= offset) {
        // All kept bytes belong to this chunk, directly before the offset. So the rest of the chunk needs no copy.
        const start = offset - keptLength;
        this.search(start === 0 ? chunk : chunk.subarray(start), isContinued);
        return;
      }
      // Some kept bytes belong to earlier chunks. They must be copied together with the beginning of this chunk. After
      // a few bytes it is usually decided whether they begin a secret. If not, the next copy is twice as long, so that
      // all copies together take linear time.
      const end = Math.min(chunk.length, 2 * offset + keptLength + SEAM_BYTES);
      const bytes = Buffer.concat([this.keptBytes, chunk.subarray(offset, end)]);
      this.search(bytes, isContinued || end < chunk.length);
      offset = end;
    }
  }

  /**
   * Reports the matches that are certain only if the stream ends here. If it continues after all, `read` may be called
   * again.
   */
  finish(): void {
    const passage: Passage = { ...this.createPassage(this.keptBytes), isEnd: true };
    if (this.stepSearch?.hasCandidates === true) this.stepSearch.finish(passage);
    else if (this.compiledCandidates !== undefined) this.searchCompiled(passage);
  }

  /**
   * Returns the possible beginnings of secrets with which the stream ends: the longest one in plain text, and one for
   * each candidate (candidate.ts). From each of them, the automaton's failure links lead to shorter ones.
   */
  beginnings(): readonly Beginning[] {
    const { compiledCandidates, keptBytes, node, position, stepSearch } = this;
    const plain: Beginning = { node, undecided: 0 };
    const compiled =
      compiledCandidates === undefined ? [] : this.getAutomaton().beginnings(compiledCandidates, keptBytes.length);
    return [plain, ...compiled, ...(stepSearch?.beginnings(position) ?? [])];
  }

  /** @param bytes the kept bytes, and the bytes of the stream that follow them */
  private search(bytes: Uint8Array, isContinued: boolean): void {
    const passage = this.createPassage(bytes);
    const { node, keepFrom } = this.searchPassage(passage);
    this.node = node;
    this.position = passage.streamOffset + bytes.length;
    if (!isContinued) return;
    this.base64Before = countBase64Before(bytes, keepFrom, this.base64Before);
    // The bytes are copied, because the caller may use the memory of the chunk again.
    this.keptBytes = keepFrom === bytes.length ? NO_BYTES : new Uint8Array(bytes.subarray(keepFrom));
  }

  /** @param bytes the kept bytes, and the bytes of the stream that follow them */
  private createPassage(bytes: Uint8Array): Passage {
    const { keptBytes, position, base64Before } = this;
    const readLength = keptBytes.length;
    return { bytes, streamOffset: position - readLength, readLength, base64Before, isEnd: false };
  }

  private searchPassage(passage: Passage): SearchEnd {
    // The compiled search may become available in the middle of a stream. If the search in TypeScript has candidates
    // then, it continues until it has none.
    if (this.stepSearch?.hasCandidates !== true) {
      const compiled = this.searchCompiled(passage);
      if (compiled !== undefined) {
        this.compiledCandidates = compiled.candidates;
        return compiled;
      }
    }
    this.stepSearch ??= new StepSearch(this.getAutomaton(), this.onMatch);
    return this.stepSearch.read(passage, this.node);
  }

  /** Searches by the compiled code, and reports the matches. @returns undefined if there is no compiled search */
  private searchCompiled(passage: Passage): CompiledMatches | undefined {
    const { compiledCandidates, minEncodedLength, node, onMatch } = this;
    const result = this.getAutomaton().search({ ...passage, candidates: compiledCandidates, node, minEncodedLength });
    if (result === undefined) return undefined;
    reportMatches(result.matches, passage.streamOffset, minEncodedLength === ALL_MATCHES, onMatch);
    return result;
  }
}
