/**
 * Finds the secrets in one content, such as a file or an object of git, with the numbers of the lines in which they occur:
 *
 *     const inspection = new Inspection(secrets);
 *     inspection.read(firstChunk, true);       // the chunks in order
 *     inspection.read(lastChunk, false);
 *     inspection.collectFindings();            // { findings: [{ form, line: 3, lastLine: 3 }], unlistedCount: 0 }
 *
 * One automaton (masking/automaton.ts) searches for all secrets and their encoded forms at once. This file has no side effects.
 */
import type { Automaton } from "../../masking/automaton.ts";
import { Finder } from "../../masking/finder.ts";
import { findFormOfMatch, isEncodedForm, type Form } from "../../masking/patterns.ts";

/** A secret in a content, in one of its forms. The first line is 1. */
export interface Finding {
  readonly form: Form;
  readonly line: number;
  /** The last of several consecutive lines with the same form. */
  readonly lastLine: number;
}

export interface ContentFindings {
  readonly findings: readonly Finding[];
  /** The number of matches beyond the limit, which are not among the findings. */
  readonly unlistedCount: number;
}

/** The secrets that are searched for. */
export interface SearchedSecrets {
  readonly automaton: Automaton;
  /** The form of each pattern, by its number in the automaton. */
  readonly forms: readonly Form[];
}

interface Match {
  /** The offsets of the match from the start of the content, in bytes. */
  start: number;
  end: number;
  line: number;
  form: Form;
  /** The length of the longest of the merged patterns, in bytes. */
  patternLength: number;
}

/** The limit on matches in one content, to bound the memory. The first match of each variable is kept beyond the limit. */
const MAX_MATCHES = 10_000;
const NEWLINE = 10;
const EMPTY_CHUNK = new Uint8Array();

export class Inspection {
  private readonly finder: Finder;
  private readonly matches: Match[] = [];
  /** The variables whose secrets were found. */
  private readonly foundVariables = new Set<string>();
  private unlistedCount = 0;
  private chunk: Uint8Array = EMPTY_CHUNK;
  /** The offset of the chunk in the content. */
  private chunkStart = 0;
  /** The number of line ends in all chunks before this one. */
  private linesBeforeChunk = 0;
  /**
   * A cursor in the chunk, up to which line ends are counted. Counting from the cursor is fast, since most matches are close to it.
   */
  private countingOffset = 0;
  private linesBeforeCountingOffset = 0;

  constructor(secrets: SearchedSecrets) {
    this.finder = new Finder(
      () => secrets.automaton,
      (start, end, node, encoding, isShell) => {
        const form = secrets.forms[secrets.automaton.patternAt(node)];
        if (form !== undefined && isEncodedForm(encoding, end - start))
          this.addMatch(start, end, findFormOfMatch(form, encoding, isShell));
      },
    );
  }

  /** Searches the next chunk. @param hasNext another chunk follows, so that all line ends of this chunk must be counted */
  read(chunk: Uint8Array, hasNext: boolean): void {
    this.chunk = chunk;
    this.chunkStart = this.finder.position;
    this.countingOffset = 0;
    this.linesBeforeCountingOffset = 0;
    this.finder.read(chunk, hasNext);
    if (hasNext) this.linesBeforeChunk += this.countLinesOfChunkBefore(chunk.length);
  }

  /** Returns the findings in the order of the content. Consecutive lines with the same form are one finding. */
  collectFindings(): ContentFindings {
    const findings: Finding[] = [];
    for (const { form, line } of mergeOverlapping(this.matches)) {
      const previousFinding = findings.at(-1);
      if (
        previousFinding !== undefined &&
        isSameForm(previousFinding.form, form) &&
        line <= previousFinding.lastLine + 1
      ) {
        findings[findings.length - 1] = { ...previousFinding, lastLine: line };
      } else findings.push({ form, line, lastLine: line });
    }
    return { findings, unlistedCount: this.unlistedCount };
  }

  /** Adds a match, which the finder reports, or only counts it if there are too many. */
  private addMatch(start: number, end: number, form: Form): void {
    if (this.matches.length >= MAX_MATCHES && this.foundVariables.has(form.name)) {
      this.unlistedCount += 1;
      return;
    }
    this.foundVariables.add(form.name);
    this.matches.push({ start, end, line: this.countLinesBefore(start) + 1, form, patternLength: end - start });
  }

  /** Returns the number of line ends before an offset of the content. */
  private countLinesBefore(start: number): number {
    const offsetInChunk = start - this.chunkStart;
    if (offsetInChunk >= 0) return this.linesBeforeChunk + this.countLinesOfChunkBefore(offsetInChunk);
    // The match began in an earlier chunk, of which the finder keeps the bytes from there on.
    const bytesBeforeChunk = this.finder.keptBytes.subarray(offsetInChunk);
    return this.linesBeforeChunk - countNewlines(bytesBeforeChunk, 0, -offsetInChunk);
  }

  /** Moves the cursor, which may also go back, and returns the number of line ends of the chunk before it. */
  private countLinesOfChunkBefore(offset: number): number {
    this.linesBeforeCountingOffset +=
      offset >= this.countingOffset
        ? countNewlines(this.chunk, this.countingOffset, offset)
        : -countNewlines(this.chunk, offset, this.countingOffset);
    this.countingOffset = offset;
    return this.linesBeforeCountingOffset;
  }
}

function countNewlines(bytes: Uint8Array, start: number, end: number): number {
  const part = bytes.subarray(start, end);
  let count = 0;
  for (let offset = part.indexOf(NEWLINE); offset !== -1; offset = part.indexOf(NEWLINE, offset + 1)) count += 1;
  return count;
}

/** Merges overlapping matches into one, which has the form of the longest. Secrets overlap if one contains another. */
function mergeOverlapping(matches: readonly Match[]): readonly Match[] {
  const mergedMatches: Match[] = [];
  const matchesByStart = matches.toSorted((left, right) => left.start - right.start || right.end - left.end);
  for (const match of matchesByStart) {
    const previousMatch = mergedMatches.at(-1);
    if (previousMatch === undefined || match.start >= previousMatch.end) {
      mergedMatches.push({ ...match });
      continue;
    }
    if (match.patternLength > previousMatch.patternLength) {
      previousMatch.form = match.form;
      previousMatch.patternLength = match.patternLength;
    }
    previousMatch.end = Math.max(previousMatch.end, match.end);
  }
  return mergedMatches;
}

function isSameForm(left: Form, right: Form): boolean {
  return left.name === right.name && left.part === right.part && left.encoding === right.encoding;
}
