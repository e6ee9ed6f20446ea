/**
 * The option `stdio` of a child process: which descriptors the child gets. It is a list, such as
 *
 *   ["ignore", "pipe", 2, "inherit"]
 *
 * whose index is the descriptor's number in the child, or one word for the first three. `openStdio` opens the pipes. The caller
 * then owns them: `closeChildEnds` follows the start of the child, and the parent's ends go to a stream or to
 * `closeParentEnds`.
 */
import { invalidValue } from "../../errors.ts";
import { natives } from "../../native.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  /** Opens two connected sockets. @returns the system's error number if it cannot */
  readonly makePair: () => readonly [parentEnd: number, childEnd: number] | number;
}

const native = natives<Natives>();

const NO_DESCRIPTOR = -1;

/** An entry of the option: a descriptor of this process that the child shares, a new pipe, or /dev/null. */
type StdioChoice = number | "pipe" | "ignore";

/** An entry of the option, with the descriptors that are open for it. */
export interface StdioEntry {
  /** The entry has a pair of sockets, both ends of which this process must close. */
  readonly isPipe: boolean;
  /** The descriptor of this process that becomes the child's; -1 for "ignore". */
  readonly childDescriptor: number;
  /** This process's end of the pipe; -1 if the entry is no pipe. */
  readonly parentDescriptor: number;
}

/**
 * Opens a pair of sockets for each pipe, as libuv does.
 *
 * @returns the system's error number if a pair cannot be opened; then none is open
 * @throws an Error of Node.js for an invalid option
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

/** Closes the child's ends of the pipes in this process. Only then do the pipes end when the child closes them. */
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
  // Pipes of "overlapped" differ from others on Windows only.
  if (choice === "pipe" || choice === "overlapped") return "pipe";
  throw invalidValue("stdio", choice);
}

/** @returns the system's error number if a pair cannot be opened */
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
