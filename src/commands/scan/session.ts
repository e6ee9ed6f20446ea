import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import { Masker } from "../../masking/stream.ts";
import { Inspection, type Finding, type Found, type Searched } from "./inspect.ts";

export interface Place {
  /** Printable, with secrets in the name masked. Empty for the message of a commit. */
  readonly file: string;
  /** In the history: the commit that added it, if known, and the object. */
  readonly commit?: string | undefined;
  readonly object?: string;
}

/** A part of git's repository that could not be searched. */
export type Gap =
  | { readonly kind: "shallow" }
  /** Objects that the history names and that are not there. */
  | { readonly kind: "missing"; readonly objects: number }
  | { readonly kind: "refused"; readonly why: string };

export interface Result {
  readonly findings: readonly (Place & Finding)[];
  /** The names of all variables whose values are found, and the number of contents that hold one. */
  readonly names: ReadonlySet<string>;
  readonly affected: number;
  /** Findings beyond those. */
  readonly more: number;
  readonly unread: readonly { readonly file: string; readonly why: string }[];
  readonly moreUnread: number;
  readonly gaps: readonly Gap[];
  readonly contents: number;
  readonly bytes: number;
}

const MOST_FINDINGS = 10_000;
/** The delay and the interval of the progress at a terminal. */
const PATIENCE_MS = 1000;
const INTERVAL_MS = 200;
const CLEAR_LINE = "\r\u001B[K";

export class Session implements Result {
  readonly findings: (Place & Finding)[] = [];
  readonly names = new Set<string>();
  readonly unread: { file: string; why: string }[] = [];
  readonly gaps: Gap[] = [];
  affected = 0;
  more = 0;
  moreUnread = 0;
  contents = 0;
  bytes = 0;
  private readonly searched: Searched;
  private readonly context: Context;
  private shownAt = performance.now() + PATIENCE_MS - INTERVAL_MS;
  private isShown = false;

  constructor(searched: Searched, context: Context) {
    this.searched = searched;
    this.context = context;
  }

  inspection(): Inspection {
    return new Inspection(this.searched);
  }

  count(bytes: number): void {
    this.contents += 1;
    this.progress(bytes);
  }

  /** Counts a part of a content that was searched. */
  progress(bytes: number): void {
    this.bytes += bytes;
    const now = performance.now();
    if (now - this.shownAt < INTERVAL_MS) return;
    this.shownAt = now;
    if (!this.isShown && !this.context.isTerminal(2)) return;
    this.isShown = true;
    this.context.err(`${CLEAR_LINE}sophia-run: ${(this.bytes / 1e6).toFixed(0)} MB searched…`);
  }

  /** Takes the findings in a content. Each variable is listed at least once, however many findings there are. */
  found(place: Place, { findings, more }: Found): void {
    this.affected += 1;
    this.more += more;
    for (const finding of findings) {
      const { name } = finding.form;
      if (this.findings.length < MOST_FINDINGS || !this.names.has(name)) this.findings.push({ ...place, ...finding });
      else this.more += 1;
      this.names.add(name);
    }
  }

  skipped(file: string, why: string): void {
    if (this.unread.length < MOST_FINDINGS) this.unread.push({ file, why });
    else this.moreUnread += 1;
  }

  lacks(gap: Gap): void {
    this.gaps.push(gap);
  }

  /** Makes a name printable and masks secrets in it. */
  shown(name: Buffer): string {
    const masker = new Masker(() => this.searched.automaton);
    return printable(Buffer.concat([Buffer.from(masker.push(name)), masker.flush()]).toString());
  }

  end(): Result {
    if (this.isShown) this.context.err(CLEAR_LINE);
    return this;
  }
}
