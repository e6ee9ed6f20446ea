/** Limits how long JavaScript computes without waiting for an event, when no timer and no signal can come. */
import { natives } from "../native.ts";

interface Natives {
  /** Milliseconds of processor time, at whose end this process ends with 125; 0 ends the limit for good. */
  readonly limitTurns: (milliseconds: number) => void;
}

export const { limitTurns } = natives<Natives>();
