/** The start of a child by the system, for asynchronous and synchronous callers. */
import { natives } from "../../native.ts";
import { stringsOf, type Start } from "./arguments.ts";
import { closeChilds, type Stdio } from "./stdio.ts";

interface Natives {
  readonly startChild: (
    strings: Uint8Array,
    argumentCount: number,
    folder: string | undefined,
    descriptors: Uint8Array,
    isDetached: boolean,
  ) => number;
}

const native = natives<Natives>();

/** Closes the child's sides of pipes in this process. @returns the PID, or the negative number of an error */
export function launchChild(start: Start, stdio: readonly Stdio[]): number {
  const { argv, options } = start;
  const result = native.startChild(
    stringsOf(start),
    argv.length,
    options.cwd ?? undefined,
    new Uint8Array(Int32Array.from(stdio, ({ childs }) => childs).buffer),
    options.detached === true,
  );
  closeChilds(stdio);
  return result;
}
