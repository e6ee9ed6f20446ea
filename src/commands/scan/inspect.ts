/** Finds secrets in one content, with their lines; pure. */
import type { Automaton } from "../../masking/automaton.ts";
import { Finder } from "../../masking/finder.ts";
import { formOfMatch, isEncodedForm, type Form } from "../../masking/patterns.ts";

/** A form of a secret in a content. Lines begin at 1. */
export interface Finding {
  readonly form: Form;
  readonly line: number;
  /** The last of several consecutive lines with the same form. */
  readonly lastLine: number;
}

export interface ContentFindings {
  readonly findings: readonly Finding[];
  readonly more: number;
}

export interface Searched {
  readonly automaton: Automaton;
  /** The form of each pattern, by its number in the automaton. */
  readonly forms: readonly Form[];
}

interface Match {
  start: number;
  end: number;
  line: number;
  form: Form;
  /** The length of the longest pattern. */
  size: number;
}

/** The limit of matches in one content, besides the first of each variable. */
const MAX_MATCHES = 10_000;
const NEWLINE = 10;
const NOTHING = new Uint8Array();

export class Inspection {
  private readonly finder: Finder;
  private readonly matches: Match[] = [];
  private readonly names = new Set<string>();
  private more = 0;
  private chunk: Uint8Array = NOTHING;
  private chunkStart = 0;
  /** The number of line ends before the chunk, and up to a position in it. */
  private linesBefore = 0;
  private countedTo = 0;
  private counted = 0;

  constructor(searched: Searched) {
    this.finder = new Finder(
      () => searched.automaton,
      (start, end, node, encoding, isShell) => {
        const form = searched.forms[searched.automaton.patternAt(node)];
        if (form !== undefined && isEncodedForm(encoding, end - start))
          this.note(start, end, formOfMatch(form, encoding, isShell));
      },
    );
  }

  /** @param more another chunk follows, so that all lines of this one must be counted */
  read(chunk: Uint8Array, more: boolean): void {
    this.chunk = chunk;
    this.chunkStart = this.finder.position;
    this.countedTo = 0;
    this.counted = 0;
    this.finder.read(chunk, more);
    if (more) this.linesBefore += this.linesTo(chunk.length);
  }

  /** Returns the findings in order. Consecutive lines with the same form are one finding. */
  result(): ContentFindings {
    const findings: Finding[] = [];
    for (const { form, line } of merged(this.matches)) {
      const last = findings.at(-1);
      if (last !== undefined && isSame(last.form, form) && line <= last.lastLine + 1) {
        findings[findings.length - 1] = { ...last, lastLine: line };
      } else findings.push({ form, line, lastLine: line });
    }
    return { findings, more: this.more };
  }

  private note(start: number, end: number, form: Form): void {
    if (this.matches.length >= MAX_MATCHES && this.names.has(form.name)) {
      this.more += 1;
      return;
    }
    this.names.add(form.name);
    const inChunk = start - this.chunkStart;
    // A match may begin in an earlier chunk.
    const line =
      inChunk >= 0
        ? this.linesBefore + this.linesTo(inChunk)
        : this.linesBefore - newlines(this.finder.keptBytes.subarray(inChunk), 0, -inChunk);
    this.matches.push({ start, end, line: line + 1, form, size: end - start });
  }

  private linesTo(position: number): number {
    this.counted +=
      position >= this.countedTo
        ? newlines(this.chunk, this.countedTo, position)
        : -newlines(this.chunk, position, this.countedTo);
    this.countedTo = position;
    return this.counted;
  }
}

function newlines(bytes: Uint8Array, from: number, to: number): number {
  const part = bytes.subarray(from, to);
  let count = 0;
  for (let at = part.indexOf(NEWLINE); at !== -1; at = part.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}

/** Merges overlapping matches into one with the form of the longest. */
function merged(matches: readonly Match[]): readonly Match[] {
  const out: Match[] = [];
  for (const match of matches.toSorted((one, other) => one.start - other.start || other.end - one.end)) {
    const last = out.at(-1);
    if (last === undefined || match.start >= last.end) out.push({ ...match });
    else {
      if (match.size > last.size) Object.assign(last, { form: match.form, size: match.size });
      last.end = Math.max(last.end, match.end);
    }
  }
  return out;
}

function isSame(one: Form, other: Form): boolean {
  return one.name === other.name && one.part === other.part && one.encoding === other.encoding;
}
