import { caller } from "../../system/before-bun.ts";
import type { LaunchRequest } from "../types.ts";
import { mayDifferFromOriginal } from "../program/program-bytes.ts";

/** The caller's set-up as Bun, of which a stand-alone executable is made, has left it. */
export interface LeftByBun {
  /** Which of the descriptors 0 to 2 the caller had open. */
  readonly streams: readonly number[];
  /** Bun's own execve passes all of it on; it is sooner available than the C library's. */
  readonly suffices: boolean;
}

export function leftByBun({ command, environment }: LaunchRequest, inherited: readonly number[]): LeftByBun {
  const given = caller();
  const streams = given?.streams ?? [0, 1, 2];
  return {
    streams,
    // Bun's execve closes inherited descriptors, and empties the mask of blocked signals, which is still the caller's.
    // Before it listeners are added to signals that may have been ignored.
    // What is not UTF-8 would arrive as U+FFFD.
    suffices:
      inherited.length === 0 &&
      streams.length === 3 &&
      (given === undefined || (given.ignored.length === 0 && !given.blocksSignals)) &&
      !mayDifferFromOriginal({ file: "", argv: command, environment }),
  };
}
