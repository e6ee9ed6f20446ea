/**
 * Limits for how long JavaScript may compute without waiting for an event. While it computes, neither a timer nor the handler of
 * a signal can run, so nothing else could end such a process.
 */
import { natives } from "../native.ts";

interface Natives {
  /**
   * Ends this process with the status 125 when a turn of the event loop has used so many milliseconds of processor time. 0 removes
   * the limit for the rest of the process.
   */
  readonly limitTurns: (milliseconds: number) => void;
}

export const { limitTurns } = natives<Natives>();
