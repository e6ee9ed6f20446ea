/**
 * Opens the descriptors that a child process gets by the option `stdio`. The option is a list, such as
 *
 *   ["ignore", "pipe", 2, "inherit"]
 *
 * in which the entry at index n describes descriptor n of the child, or one word for descriptors 0 to 2. `openStdio` opens both ends
 * of each pipe. The caller must close the child's ends by `closeChildEnds` when the child was started, and must give the parent's
 * ends to a stream or to `closeParentEnds`.
 */
import { invalidValue } from "../../errors.ts";
import { natives } from "../../native.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  /** Opens two connected sockets. @returns a positive errno if it fails */
  readonly makePair: () => readonly [parentEnd: number, childEnd: number] | number;
}

const native = natives<Natives>();

export const NO_DESCRIPTOR = -1;

/** A valid entry of the option: a descriptor of this process that the child shares, a new pipe, or /dev/null ("ignore"). */
type StdioChoice = number | "pipe" | "ignore";

/** The descriptors of this process for an entry of the option. */
export interface StdioEntry {
  /** True for a pair of sockets, both ends of which this process must close. */
  readonly isPipe: boolean;
  /** The descriptor that becomes the child's; NO_DESCRIPTOR for "ignore". */
  readonly childDescriptor: number;
  /** This process's end of the pipe; NO_DESCRIPTOR if the entry is not a pipe. */
  readonly parentDescriptor: number;
}

/**
 * Opens a pair of sockets for each pipe, as libuv does.
 *
 * @returns a positive errno if a pair cannot be opened, after which no pair is open
 * @throws an error such as Node.js throws for an invalid option
 */
export function openStdio(option: unknown): readonly StdioEntry[] | number {
  // All entries are checked before the first pair is opened, so that an invalid one leaves nothing open.
  const choices = listEntries(option).map(parseEntry);
  const entries: StdioEntry[] = [];
  for (const choice of choices) {
    const entry = openEntry(choice);
    if (typeof entry === "number") {
      closeParentEnds(entries);
      closeChildEnds(entries);
      return entry;
    }
    entries.push(entry);
  }
  return entries;
}

/** Closes the child's ends of the pipes in this process. Otherwise the pipes would not end when the child closes them. */
export function closeChildEnds(entries: readonly StdioEntry[]): void {
  for (const { isPipe, childDescriptor } of entries) if (isPipe) native.close(childDescriptor);
}

export function closeParentEnds(entries: readonly StdioEntry[]): void {
  for (const { isPipe, parentDescriptor } of entries) if (isPipe) native.close(parentDescriptor);
}

function listEntries(option: unknown): readonly unknown[] {
  const entries = option ?? "pipe";
  if (Array.isArray(entries)) return entries;
  if (entries === "pipe" || entries === "ignore" || entries === "inherit") return [entries, entries, entries];
  throw invalidValue("stdio", entries);
}

/** @param index the descriptor's number in the child */
function parseEntry(entry: unknown, index: number): StdioChoice {
  const choice = entry ?? (index < 3 ? "pipe" : "ignore");
  if (choice === "ignore") return choice;
  if (choice === "inherit") return index;
  if (typeof choice === "number" && choice >= 0) return choice;
  // "overlapped" makes a difference only on Windows.
  if (choice === "pipe" || choice === "overlapped") return "pipe";
  throw invalidValue("stdio", choice);
}

/** @returns a positive errno if a pair cannot be opened */
function openEntry(choice: StdioChoice): StdioEntry | number {
  if (choice === "ignore") {
    return { isPipe: false, childDescriptor: NO_DESCRIPTOR, parentDescriptor: NO_DESCRIPTOR };
  }
  if (typeof choice === "number") {
    return { isPipe: false, childDescriptor: choice, parentDescriptor: NO_DESCRIPTOR };
  }
  const pair = native.makePair();
  if (typeof pair === "number") return pair;
  const [parentDescriptor, childDescriptor] = pair;
  return { isPipe: true, childDescriptor, parentDescriptor };
}
