/** Reports to the user while the program runs: renewals that fail and succeed again, and files that are not replaced. */
import type { Context } from "../../../core/context.ts";
import { enumerateFew } from "../../../core/lines.ts";
import type { Failure } from "../../../core/model.ts";
import { enumerate, printable } from "../../../core/text.ts";
import { listDetailsAndHint, printLines } from "../../../output/stderr.ts";
import type { FileChanges } from "./renewed-files.ts";

/** An item that is renewed: the credentials of a cloud, or the files of ESC. */
export interface RenewedItem {
  /** The name in messages. It also identifies the item. */
  readonly noun: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly hasExpired: boolean;
  /** True if the program gets nothing after the end, rather than what has expired. */
  readonly isServed: boolean;
}

type Lines = readonly [string, ...string[]];

export class RenewalReporter {
  readonly #context: Context;
  readonly #quiet: boolean;
  #write: (text: string) => void;
  /** The first line of the failure that was last reported for each item, by its noun. */
  readonly #reportedFailures = new Map<string, string>();
  /** The problems of files at the last opening, which were all reported. */
  #fileProblems: readonly string[] = [];

  constructor(context: Context, quiet: boolean) {
    this.#context = context;
    this.#quiet = quiet;
    this.#write = context.err;
  }

  /** Returns the context for messages while the program runs. The program uses the terminal, so this process must not ask there. */
  context(): Context {
    return { ...this.#context, err: this.#write, isTerminal: () => false };
  }

  /** Sets the function that writes later reports to standard error, between the lines of the program. */
  writeReportsWith(write: ((text: string) => void) | undefined): void {
    this.#write = write ?? this.#context.err;
  }

  /** Reports a failure that concerns these items: once, until one of them is renewed or has expired. */
  reportFailure(items: readonly RenewedItem[], failure: Failure): void {
    const [firstLine, ...furtherLines] = describeFailure(items, failure);
    // The first line says when the items expire. Once they have expired it differs, and the failure is reported again.
    if (items.every(({ noun }) => this.#reportedFailures.get(noun) === firstLine)) return;
    for (const { noun } of items) this.#reportedFailures.set(noun, firstLine);
    this.#print([firstLine, ...furtherLines]);
  }

  /** Reports which of these items are renewed again after a reported failure. */
  reportRenewed(nouns: readonly string[]): void {
    const recovered = nouns.filter((noun) => this.#reportedFailures.delete(noun));
    if (recovered.length > 0 && !this.#quiet) this.#print([`${enumerate(recovered)} are renewed again`]);
  }

  /** Reports the files that could not be replaced, except for problems that the last call reported as well. */
  reportFiles({ missing, refused }: FileChanges): void {
    const problems = Array.from(refused, ([name, rule]) => {
      return `error: ESC has a new content for the file of ${printable(name)} that ${rule}: it is not written`;
    });
    if (missing.length > 0) {
      const files = missing.length === 1 ? "file" : "files";
      const names = enumerateFew(missing.map(printable), 5);
      problems.unshift(`warning: ESC no longer gives ${names}: the program keeps the former ${files}`);
    }
    for (const problem of problems) if (!this.#fileProblems.includes(problem)) this.#print([problem]);
    this.#fileProblems = problems;
  }

  #print(lines: Lines): void {
    printLines({ ...this.#context, err: this.#write }, lines);
  }
}

function describeFailure(items: readonly RenewedItem[], failure: Failure): Lines {
  const nouns = enumerate(items.map(({ noun }) => noun));
  const consequence = describeConsequence(items);
  return [`warning: ${nouns} cannot be renewed: ${failure.message}; ${consequence}`, ...listDetailsAndHint(failure)];
}

function describeConsequence(items: readonly RenewedItem[]): string {
  const expired = items.filter(({ hasExpired }) => hasExpired);
  if (expired.length === 0) {
    const firstEnd = Math.min(...items.map(({ expiresAt }) => expiresAt));
    const time = new Date(firstEnd).toISOString().slice(11, 19);
    const which = items.length === 1 ? "which expire" : "of which the first expire";
    return `the program gets the present ones, ${which} at ${time} UTC`;
  }
  const they = expired.length === items.length ? "they" : enumerate(expired.map(({ noun }) => noun));
  const none = expired.every(({ isServed }) => isServed) ? ", and the program gets none" : "";
  return `${they} have expired${none}`;
}
