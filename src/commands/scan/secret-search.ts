/**
 * The state of one run of `sophia-run scan`: the secrets that it searches for, what it has found, and what it could not search
 * (gaps). scan.ts creates it. tree.ts, index-search.ts and history-search.ts pass it the contents of files and of git's objects;
 * scan-text.ts, scan-warnings.ts and scan-json.ts report the result.
 */
import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import { Masker } from "../../masking/stream.ts";
import { Inspection, type ContentFindings, type Finding, type SearchedSecrets } from "./inspect.ts";

/**
 * The place of a secret: in the content of a file, the target of a symbolic link, the name of a file, or the name of a branch or
 * tag.
 */
export type FindingPlace = "content" | "target" | "name" | "ref";

export interface FindingLocation {
  /** The file's name, printable and with secrets in it masked. It is empty for the message of a commit, and if it is unknown. */
  readonly file: string;
  /** Absent for the content. */
  readonly within?: FindingPlace;
  /** The folder of the submodule to which the file, commit and object belong; undefined if they belong to no submodule. */
  readonly repository?: string | undefined;
  /** True if only the reflog refers to the commit, such as an older stash or an amended commit. Other clones do not have it. */
  readonly onlyInReflog?: true | undefined;
  /** In the history: the commit that added the object, if that is known. */
  readonly commit?: string | undefined;
  /** In the history: the object with the secret. For the message of a commit it is the commit itself. */
  readonly object?: string;
}

/** A part of git's repository that could not be searched, or values that could not be searched for. `--json` prints it as it is. */
export type Gap =
  /** The clone has only the latest commits. */
  | { readonly kind: "shallow"; readonly repository?: string | undefined }
  /** Objects of the history that are not in the repository. */
  | { readonly kind: "missing"; readonly objects: number; readonly repository?: string | undefined }
  /** A git command failed, for example because of a damaged object. */
  | { readonly kind: "refused"; readonly why: string; readonly repository?: string | undefined }
  /** Submodules that are not checked out, or that git cannot read. */
  | { readonly kind: "submodules"; readonly files: readonly string[] }
  /** ESC could not be read: only the values of these variables were searched for. */
  | { readonly kind: "esc"; readonly status: "unavailable" | "refused"; readonly searchedFor: readonly string[] };

/** The limit on listed findings, and on listed files that could not be read. Further ones are only counted, to bound the memory. */
const MAX_FINDINGS = 10_000;
/** The time after which a terminal shows the progress, and the time between two updates of it. */
const PROGRESS_DELAY_MS = 1000;
const PROGRESS_INTERVAL_MS = 200;
/** Goes to the start of the terminal's line, and erases the line. */
const CLEAR_LINE = "\r\u001B[K";

/** Collects the results of one run of `scan`, and shows its progress. */
export class SecretSearch {
  readonly findings: (FindingLocation & Finding)[] = [];
  /** The variables whose values were found. */
  readonly foundVariables = new Set<string>();
  /** The number of findings beyond those that are listed. */
  unlistedFindingCount = 0;
  /** Files that could not be read, with the reason. */
  readonly unreadFiles: { readonly file: string; readonly why: string }[] = [];
  /** The number of unread files beyond those that are listed. */
  unlistedUnreadFileCount = 0;
  readonly gaps: Gap[] = [];
  /** For each repository, the number of objects with secrets to which nothing refers. */
  readonly unreachableObjects: { readonly objects: number; readonly repository?: string | undefined }[] = [];
  /** The number of contents (files, or objects of git) that were searched. */
  searchedContentCount = 0;
  /** The number of contents in which a secret was found. */
  contentWithFindingsCount = 0;
  /** The number of bytes that were searched. */
  searchedByteCount = 0;
  private readonly secrets: SearchedSecrets;
  private readonly context: Context;
  /** The time of the last update. The first value makes the first update come after the delay. */
  private lastProgressTime = performance.now() + PROGRESS_DELAY_MS - PROGRESS_INTERVAL_MS;
  private isProgressShown = false;

  constructor(secrets: SearchedSecrets, context: Context) {
    this.secrets = secrets;
    this.context = context;
  }

  /** Starts the search of a content that is read in chunks. */
  createInspection(): Inspection {
    return new Inspection(this.secrets);
  }

  /** Searches a content that is in memory as a whole. */
  inspect(content: Uint8Array): ContentFindings {
    const inspection = this.createInspection();
    inspection.read(content, false);
    return inspection.collectFindings();
  }

  /**
   * Counts searched bytes, and shows the progress at a terminal.
   *
   * @param activity what takes long besides the search, as the end of the line: ", now its commits"
   */
  showProgress(bytes: number, activity = ""): void {
    this.searchedByteCount += bytes;
    const now = performance.now();
    if (now - this.lastProgressTime < PROGRESS_INTERVAL_MS) return;
    this.lastProgressTime = now;
    if (!this.isProgressShown && !this.context.isTerminal(2)) return;
    this.isProgressShown = true;
    this.context.err(`${CLEAR_LINE}sophia-run: ${(this.searchedByteCount / 1e6).toFixed(0)} MB searched${activity}…`);
  }

  /** Removes the progress from the terminal. The caller calls this before it prints the report. */
  clearProgress(): void {
    if (this.isProgressShown) this.context.err(CLEAR_LINE);
  }

  /** Adds the findings in a content. Each variable is listed at least once, however many findings there are. */
  addFindings(location: FindingLocation, { findings, unlistedCount }: ContentFindings): void {
    // A name, or the target of a link, is no content.
    if (location.within === undefined) this.contentWithFindingsCount += 1;
    this.unlistedFindingCount += unlistedCount;
    for (const finding of findings) {
      const { name } = finding.form;
      if (this.findings.length < MAX_FINDINGS || !this.foundVariables.has(name))
        this.findings.push({ ...location, ...finding });
      else this.unlistedFindingCount += 1;
      this.foundVariables.add(name);
    }
  }

  /** Adds a file that could not be read. @param why the reason in brackets behind its name, such as an error code */
  addUnreadFile(name: Buffer, why: string): void {
    if (this.unreadFiles.length < MAX_FINDINGS) this.unreadFiles.push({ file: this.maskName(name), why });
    else this.unlistedUnreadFileCount += 1;
  }

  /** Returns a name in printable form, with secrets in it masked. */
  maskName(name: Buffer): string {
    const masker = new Masker(() => this.secrets.automaton);
    return printable(Buffer.concat([Buffer.from(masker.push(name)), masker.flush()]).toString());
  }
}

/** Returns true if everything was searched, for the values of all secrets. */
export function isComplete({ unreadFiles, gaps }: SecretSearch): boolean {
  return unreadFiles.length === 0 && gaps.length === 0;
}
