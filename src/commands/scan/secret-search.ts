import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import { Masker } from "../../masking/stream.ts";
import { Inspection, type ContentFindings, type Finding, type Searched } from "./inspect.ts";

/** The part of a file or a reference with a secret; the last two are names of paths, and of branches and tags. */
export type Within = "content" | "target" | "name" | "ref";

export interface FindingLocation {
  /** Printable, with secrets in the name masked. Empty for a message, and for a file whose name is unknown. */
  readonly file: string;
  /** Default: the content. */
  readonly within?: Within;
  /** The submodule to which file, commit and object belong. */
  readonly repository?: string | undefined;
  /** The reflog alone reaches it, as an older stash or an amended commit: other clones do not have it. */
  readonly onlyInReflog?: true | undefined;
  /** In the history: the commit that added the object, if known, and the object, which for a message is the same. */
  readonly commit?: string | undefined;
  readonly object?: string;
}

/** A part of git's repository that could not be searched, or values that could not be searched for. */
export type Gap =
  | { readonly kind: "shallow"; readonly repository?: string | undefined }
  /** Objects of the history that are not in the repository. */
  | { readonly kind: "missing"; readonly objects: number; readonly repository?: string | undefined }
  | { readonly kind: "refused"; readonly why: string; readonly repository?: string | undefined }
  /** Submodules that are not here, or that git cannot read. */
  | { readonly kind: "submodules"; readonly files: readonly string[] }
  /** ESC could not be read: only the values of these variables were searched for. */
  | { readonly kind: "esc"; readonly status: "unavailable" | "refused"; readonly searchedFor: readonly string[] };

const MAX_FINDINGS = 10_000;
/** The delay and the interval of the progress at a terminal. */
const DELAY_MS = 1000;
const INTERVAL_MS = 200;
const CLEAR_LINE = "\r\u001B[K";

export class Search {
  readonly findings: (FindingLocation & Finding)[] = [];
  /** The variables whose values were found. */
  readonly names = new Set<string>();
  readonly unread: { readonly file: string; readonly why: string }[] = [];
  readonly gaps: Gap[] = [];
  /** The number of contents with findings. */
  affected = 0;
  /** The numbers of findings and unread files beyond those that are listed. */
  more = 0;
  moreUnread = 0;
  /** Numbers of objects with secrets to which nothing refers. */
  readonly unreachable: { readonly objects: number; readonly repository?: string | undefined }[] = [];
  contents = 0;
  bytes = 0;
  private readonly searched: Searched;
  private readonly context: Context;
  private shownAt = performance.now() + DELAY_MS - INTERVAL_MS;
  private isShown = false;

  constructor(searched: Searched, context: Context) {
    this.searched = searched;
    this.context = context;
  }

  inspection(): Inspection {
    return new Inspection(this.searched);
  }

  inspect(content: Uint8Array): ContentFindings {
    const inspection = this.inspection();
    inspection.read(content, false);
    return inspection.result();
  }

  /** @param bytes that were searched @param doing what else takes long */
  progress(bytes: number, doing = ""): void {
    this.bytes += bytes;
    const now = performance.now();
    if (now - this.shownAt < INTERVAL_MS) return;
    this.shownAt = now;
    if (!this.isShown && !this.context.isTerminal(2)) return;
    this.isShown = true;
    this.context.err(`${CLEAR_LINE}sophia-run: ${(this.bytes / 1e6).toFixed(0)} MB searched${doing}…`);
  }

  clearProgress(): void {
    if (this.isShown) this.context.err(CLEAR_LINE);
  }

  /** Adds the findings in a content. Each variable is listed at least once, however many findings there are. */
  add(location: FindingLocation, { findings, more }: ContentFindings): void {
    if (location.within === undefined) this.affected += 1;
    this.more += more;
    for (const finding of findings) {
      const { name } = finding.form;
      if (this.findings.length < MAX_FINDINGS || !this.names.has(name)) this.findings.push({ ...location, ...finding });
      else this.more += 1;
      this.names.add(name);
    }
  }

  addUnread(name: Buffer, why: string): void {
    if (this.unread.length < MAX_FINDINGS) this.unread.push({ file: this.shown(name), why });
    else this.moreUnread += 1;
  }

  /** Makes a name printable, and masks secrets in it. */
  shown(name: Buffer): string {
    const masker = new Masker(() => this.searched.automaton);
    return printable(Buffer.concat([Buffer.from(masker.push(name)), masker.flush()]).toString());
  }
}
