import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import { Masker } from "../../masking/stream.ts";
import { Inspection, type Finding, type Searched } from "./inspect.ts";

/** Where something is found. */
export interface Place {
  /** As shown: printable, and without a secret that stands in the name. Empty for the message of a commit. */
  readonly file: string;
  /** Of the history: the commit that brought it, where that is known, and the object. */
  readonly commit?: string;
  readonly object?: string;
}

export interface Result {
  readonly findings: readonly (Place & Finding)[];
  /** Findings beyond those. */
  readonly more: number;
  /** Files that could not be read, and why. */
  readonly unread: readonly { readonly file: string; readonly why: string }[];
  readonly contents: number;
  readonly bytes: number;
}

const MOST_FINDINGS = 10_000;
/** How long a terminal shows nothing, and how often it shows something new. */
const PATIENCE_MS = 1000;
const INTERVAL_MS = 200;
const CLEAR_LINE = "\r\u001B[K";

/** One scan: what was gone through and found so far. */
export class Session {
  private readonly searched: Searched;
  private readonly context: Context;
  private readonly findings: (Place & Finding)[] = [];
  private readonly unread: { file: string; why: string }[] = [];
  private more = 0;
  private contents = 0;
  private bytes = 0;
  private shownAt = performance.now() + PATIENCE_MS - INTERVAL_MS;
  private isShown = false;

  constructor(searched: Searched, context: Context) {
    this.searched = searched;
    this.context = context;
  }

  inspection(): Inspection {
    return new Inspection(this.searched);
  }

  /** A content was gone through. */
  count(bytes: number): void {
    this.contents += 1;
    this.progress(bytes);
  }

  /** Part of a content was gone through. */
  progress(bytes: number): void {
    this.bytes += bytes;
    const now = performance.now();
    if (now - this.shownAt < INTERVAL_MS) return;
    this.shownAt = now;
    if (!this.isShown && !this.context.isTerminal(2)) return;
    this.isShown = true;
    this.context.err(`${CLEAR_LINE}sophia-run: ${(this.bytes / 1e6).toFixed(0)} MB searched…`);
  }

  found(place: Place, findings: readonly Finding[]): void {
    const room = Math.max(0, MOST_FINDINGS - this.findings.length);
    for (const finding of findings.slice(0, room)) this.findings.push({ ...place, ...finding });
    this.more += Math.max(0, findings.length - room);
  }

  skipped(file: string, why: string): void {
    if (this.unread.length < MOST_FINDINGS) this.unread.push({ file, why });
  }

  /** A name as it may be shown. */
  shown(name: Buffer): string {
    const masker = new Masker(() => this.searched.automaton);
    return printable(Buffer.concat([Buffer.from(masker.push(name)), masker.flush()]).toString());
  }

  end(): Result {
    if (this.isShown) this.context.err(CLEAR_LINE);
    const { findings, more, unread, contents, bytes } = this;
    return { findings, more, unread, contents, bytes };
  }
}
