import { callersIgnoredSignals } from "../../system/before-bun.ts";
import { isCloseOnExec } from "../proc/descriptors.ts";
import { blocksSignals } from "../proc/process-stat.ts";
import type { LaunchRequest } from "../types.ts";
import { mayDifferFromOriginal } from "./program-bytes.ts";

/** What the caller set up and Bun, of which a stand-alone executable is made, has left in place or in sight. */
export interface LeftByBun {
  /** Which of the descriptors 0 to 2 the caller had open. */
  readonly streams: readonly number[];
  /** Bun's own execve passes all of it on; it is sooner available than the C library's. */
  readonly suffices: boolean;
}

export function leftByBun({ command, environment }: LaunchRequest, inherited: readonly number[]): LeftByBun {
  // Where the caller had closed one, Bun opened /dev/null for itself, close-on-exec as nothing can be that has come
  // through an exec.
  const streams = [0, 1, 2].filter((descriptor) => isCloseOnExec(descriptor) !== true);
  return {
    streams,
    // Bun's execve closes inherited descriptors, and empties the mask of blocked signals, which is still the caller's.
    // Before it listeners are added to signals that may have been ignored.
    // What is not UTF-8 would arrive as U+FFFD.
    suffices:
      inherited.length === 0 &&
      streams.length === 3 &&
      callersIgnoredSignals().length === 0 &&
      !blocksSignals("self") &&
      !mayDifferFromOriginal({ file: "", argv: command, environment }),
  };
}
