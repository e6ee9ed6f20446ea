/**
 * Limits how long JavaScript may run without returning to the event loop. While it runs, neither timers nor handlers of signals are
 * called, so that Ctrl-C could not end a process in an endless loop.
 */
import { natives } from "../native.ts";

interface Natives {
  /**
   * Makes the process end with the status 125 once a turn of the event loop has used more processor time than this. 0 removes the
   * limit until the process ends.
   */
  readonly limitTurns: (milliseconds: number) => void;
}

export const { limitTurns } = natives<Natives>();
