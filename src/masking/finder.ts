/**
 * Finds secrets in one stream of bytes that arrives in chunks: as plain text, and in the encodings of encodings.ts.
 *
 * The caller creates a `Finder` for each stream, calls `read` with each chunk, and `finish` at the end. `Finder` calls
 * `onMatch` for each match. A secret may begin in one chunk and end in a later one. So the finder keeps the bytes with which a
 * secret may have begun, and searches them again together with the next chunk. Time and memory are linear in the length of
 * the stream.
 *
 * The search is compiled C code (native/masking/finder.inc), or steps.ts if the addon is not available.
 */
import type { Automaton } from "./automaton.ts";
import { reportMatches, type CompiledMatches } from "./compiled-search.ts";
import { countBase64Before } from "./escapes.ts";
import { ROOT, type Beginning, type OnMatch, type SearchEnd } from "./masking-model.ts";
import { StepSearch, type Passage } from "./steps.ts";

/** How many bytes of a chunk are copied to the kept bytes of earlier chunks, in addition to as many bytes as were kept. */
const SEAM_BYTES = 1024;

/** The value of `minEncodedLength` for which each match is reported as it was found, with its encoding. */
const ALL_MATCHES = -1;

const NO_BYTES = new Uint8Array();

export class Finder {
  /** The number of bytes of the stream that were read. */
  position = 0;
  /** The longest end of the stream with which a secret may begin. It is a new array after each `read`. */
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
   * @param getAutomaton is called as late as possible, so that the automaton may be built after the stream was opened
   * @param minEncodedLength allows the compiled search to join overlapping matches, to report all of them as plain ones, and to
   *   omit encoded matches of fewer bytes. By default each match is reported with its encoding.
   */
  constructor(getAutomaton: () => Automaton, onMatch: OnMatch, minEncodedLength = ALL_MATCHES) {
    this.getAutomaton = getAutomaton;
    this.onMatch = onMatch;
    this.minEncodedLength = minEncodedLength;
  }

  /**
   * Reports the matches that end in the chunk; of several with the same end in the same encoding, the longest.
   *
   * @param isContinued false if neither `read` nor `finish` is called after this chunk
   */
  read(chunk: Uint8Array, isContinued = true): void {
    for (let offset = 0; offset < chunk.length;) {
      const keptLength = this.keptBytes.length;
      if (keptLength <= offset) {
        // All kept bytes belong to this chunk and lie directly before the offset, so that nothing must be copied.
        const start = offset - keptLength;
        this.search(start === 0 ? chunk : chunk.subarray(start), isContinued);
        return;
      }
      // Kept bytes belong to earlier chunks, and are copied together with the beginning of this chunk. Most secrets are decided
      // soon, so that the rest of the chunk needs no copy. The copied part doubles each time, which keeps the time linear.
      const end = Math.min(chunk.length, 2 * offset + keptLength + SEAM_BYTES);
      const bytes = Buffer.concat([this.keptBytes, chunk.subarray(offset, end)]);
      this.search(bytes, isContinued || end < chunk.length);
      offset = end;
    }
  }

  /** Reports the matches that are certain only if the stream ends here. The caller may call `read` again anyway. */
  finish(): void {
    const passage = this.passageOf(this.keptBytes, true);
    if (this.stepSearch?.hasCandidates === true) this.stepSearch.finish(passage);
    else if (this.compiledCandidates !== undefined) this.searchCompiled(passage);
  }

  /**
   * Returns the possible beginnings of secrets with which the stream ends: the longest in plain text, and one for each candidate.
   * The automaton's failure links lead to the shorter ones.
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
    const passage = this.passageOf(bytes, false);
    const { node, keepFrom } = this.searchPassage(passage);
    this.node = node;
    this.position = passage.streamOffset + bytes.length;
    if (!isContinued) return;
    this.base64Before = countBase64Before(bytes, keepFrom, this.base64Before);
    // This is a copy, since the caller may use the memory of the chunk again.
    this.keptBytes = keepFrom === bytes.length ? NO_BYTES : new Uint8Array(bytes.subarray(keepFrom));
  }

  private passageOf(bytes: Uint8Array, isEnd: boolean): Passage {
    const { keptBytes, position, base64Before } = this;
    return { bytes, streamOffset: position - keptBytes.length, readLength: keptBytes.length, base64Before, isEnd };
  }

  private searchPassage(passage: Passage): SearchEnd {
    // The search may have been compiled while candidates of the search in TypeScript wait. That search finishes them first.
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

  /** Searches, and reports the matches. @returns undefined if there is no compiled search */
  private searchCompiled(passage: Passage): CompiledMatches | undefined {
    const { compiledCandidates, minEncodedLength, node, onMatch } = this;
    const result = this.getAutomaton().search({ ...passage, candidates: compiledCandidates, node, minEncodedLength });
    if (result === undefined) return undefined;
    reportMatches(result.matches, passage.streamOffset, minEncodedLength === ALL_MATCHES, onMatch);
    return result;
  }
}
