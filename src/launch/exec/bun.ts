import type { Environment } from "../../core/model.ts";
import { initialEnvironment } from "../../system/own-environment.ts";
import { isCloseOnExec } from "../proc/descriptors.ts";
import { blocksSignals } from "../proc/process-stat.ts";
import type { LaunchRequest } from "../types.ts";
import { mayDifferFromOriginal } from "./program-bytes.ts";

/** What the caller set up and Bun, of which a stand-alone executable is made, has left in place or in sight. */
export interface LeftByBun {
  /** Which of the descriptors 0 to 2 the caller had open. */
  readonly streams: readonly number[];
  /** The requested environment, with the variables that tell a program of its channel to a Node.js parent. */
  readonly environment: Environment;
  /** There is such a channel. */
  readonly passesChannel: boolean;
  /** Bun's own execve passes all of it on; it is sooner available than the C library's. */
  readonly suffices: boolean;
}

export function leftByBun({ command, environment }: LaunchRequest, inherited: readonly number[]): LeftByBun {
  // Where the caller had closed one, Bun opened /dev/null for itself, close-on-exec as nothing can be that has come
  // through an exec.
  const streams = [0, 1, 2].filter((descriptor) => isCloseOnExec(descriptor) !== true);
  const channel = inherited.length === 0 ? [] : channelVariables(inherited);
  return {
    streams,
    environment: new Map([...environment, ...channel]),
    passesChannel: channel.length > 0,
    // Bun's execve closes inherited descriptors, and empties the mask of blocked signals, which is still the caller's.
    // What is not UTF-8 would arrive as U+FFFD.
    suffices:
      inherited.length === 0 &&
      streams.length === 3 &&
      !blocksSignals("self") &&
      !mayDifferFromOriginal({ file: "", argv: command, environment }),
  };
}

/**
 * Bun begins to read from the channel when somebody asks for its messages. Nobody does here, so the program can have it:
 * nothing has to be relayed, and how the messages are serialized is between the parent and the program.
 */
function channelVariables(inherited: readonly number[]): readonly (readonly [string, string])[] {
  const initial = initialEnvironment();
  if (!inherited.includes(Number(initial.get("NODE_CHANNEL_FD")))) return [];
  return [...initial].filter(([name]) => name === "NODE_CHANNEL_FD" || name === "NODE_CHANNEL_SERIALIZATION_MODE");
}
