import { MATCH_NUMBERS, ROOT, type Automaton, type FoundMatches } from "./automaton.ts";
import type { OnMatch } from "./candidate.ts";
import { ENCODINGS, PLAIN } from "./encodings/encodings.ts";
import { base64Before } from "./escapes.ts";
import type { Beginning } from "./masking-model.ts";
import { StepSearch, type Passage } from "./steps.ts";

/** The bytes of a chunk that are copied behind held ones, besides as many as those. */
const SEAM = 1024;

const NOTHING = new Uint8Array();

/** Finds patterns in one stream of chunks, plain and encoded, in linear time and memory (see ARCHITECTURE.md). */
export class Finder {
  position = 0;
  /** The longest possible beginning of a secret with which these end; a new array after each `read`. */
  held: Uint8Array = NOTHING;
  /** The number of characters of base64 before `held`, up to LINE_WIDTH. */
  run = 0;
  private node = ROOT;
  /** The memory of the compiled search for candidates that wait. */
  private compiledCandidates: Uint8Array | undefined;
  /** The search without compiled code, once a stream has needed it. */
  private steps: StepSearch | undefined;
  private readonly automatonOf: () => Automaton;
  private readonly onMatch: OnMatch;
  private readonly least: number;

  /** @param least as of {@link CompiledSearch.find}: joined matches are reported as plain ones */
  constructor(automatonOf: () => Automaton, onMatch: OnMatch, least = -1) {
    this.automatonOf = automatonOf;
    this.onMatch = onMatch;
    this.least = least;
  }

  /** Reports the longest of the matches with the same end. @param more false if nothing is read after this chunk */
  read(chunk: Uint8Array, more = true): void {
    for (let at = 0; at < chunk.length;) {
      const { length } = this.held;
      const isInFront = length <= at;
      // Copies the chunk's beginning alone behind the held bytes, not all of it.
      const end = isInFront ? chunk.length : Math.min(chunk.length, 2 * at + length + SEAM);
      const bytes = isInFront
        ? at === length
          ? chunk
          : chunk.subarray(at - length)
        : Buffer.concat([this.held, chunk.subarray(at, end)]);
      this.readBehindHeld(bytes, more || end < chunk.length);
      at = end;
    }
  }

  /** Reports matches that are certain only if the stream ends here. It may continue anyway. */
  finish(): void {
    const passage = this.passageOf(this.held, true);
    if (this.steps?.hasCandidates === true) this.steps.finish(passage);
    else if (this.compiledCandidates !== undefined) this.findCompiled(passage);
  }

  /** Returns all possible beginnings of secrets with which the stream ends; shorter ones may be their ends. */
  beginnings(): readonly Beginning[] {
    const { compiledCandidates, held, node, position, steps } = this;
    const compiled =
      compiledCandidates === undefined ? [] : this.automatonOf().beginnings(compiledCandidates, held.length);
    return [{ node, undecided: 0 }, ...compiled, ...(steps?.beginnings(position) ?? [])];
  }

  /** @param bytes `held` and more */
  private readBehindHeld(bytes: Uint8Array, more: boolean): void {
    const passage = this.passageOf(bytes, false);
    const { node, from } = this.find(passage);
    this.node = node;
    this.position = passage.base + bytes.length;
    if (!more) return;
    this.run = base64Before(bytes, from, this.run);
    this.held = from === bytes.length ? NOTHING : new Uint8Array(bytes.subarray(from)); // a copy
  }

  private passageOf(bytes: Uint8Array, isEnd: boolean): Passage {
    const { held, position, run } = this;
    return { bytes, base: position - held.length, before: held.length, run, isEnd };
  }

  /** @returns the node of the last byte, and the index of the first byte to keep */
  private find(passage: Passage): { readonly node: number; readonly from: number } {
    // Candidates that were begun before the search was compiled are stepped as they were begun.
    if (this.steps?.hasCandidates !== true) {
      const compiled = this.findCompiled(passage);
      if (compiled !== undefined) {
        this.compiledCandidates = compiled.candidates;
        return compiled;
      }
    }
    this.steps ??= new StepSearch(this.automatonOf(), this.onMatch);
    return this.steps.read(passage, this.node);
  }

  /** @returns undefined if the search is not compiled */
  private findCompiled({ bytes, base, before, run, isEnd }: Passage): FoundMatches | undefined {
    const { compiledCandidates, node, least } = this;
    const result = this.automatonOf().find(compiledCandidates, { bytes, before, node, run, least, isEnd });
    const numbers: ArrayLike<number> = result?.matches ?? [];
    for (let at = 0; at < numbers.length; at += MATCH_NUMBERS) {
      const start = base + (numbers[at] ?? 0);
      const end = base + (numbers[at + 1] ?? 0);
      const encoding = least === -1 ? (ENCODINGS[numbers[at + 3] ?? -1] ?? PLAIN) : PLAIN;
      this.onMatch(start, end, numbers[at + 2] ?? ROOT, encoding, numbers[at + 4] === 1);
    }
    return result;
  }
}
