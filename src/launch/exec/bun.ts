import type { Environment } from "../../core/model.ts";
import { isMarkedForClosing } from "../proc/descriptors.ts";
import { initialEnvironment } from "../../system/own-environment.ts";
import { blocksSignals } from "../proc/process-stat.ts";

/** What the caller set up and Bun, of which a stand-alone executable is made, has left in place or in sight. */
export interface LeftByBun {
  /** Which of the descriptors 0 to 2 the caller had open. */
  readonly streams: readonly number[];
  /** The variables that tell a program of its channel to a Node.js parent; none where there is no such channel. */
  readonly channel: Environment;
  /** Bun's own execve would not hand all of it on: the C library's has to be called. */
  readonly lostByExecve: boolean;
}

/** @param inherited the descriptors from 3 on that the caller passed */
export function leftByBun(inherited: readonly number[]): LeftByBun {
  // Where the caller had closed one, Bun opened /dev/null for itself, marked for closing as nothing can be that has
  // come through an exec.
  const streams = [0, 1, 2].filter((descriptor) => isMarkedForClosing(descriptor) !== true);
  const channel = inherited.length === 0 ? new Map<string, string>() : channelVariables(inherited);
  // The mask of blocked signals is still the caller's, but Bun's execve empties it.
  return { streams, channel, lostByExecve: streams.length < 3 || channel.size > 0 || blocksSignals("self") };
}

/**
 * Bun begins to read from the channel when somebody asks for its messages. Nobody does here, so the program can have it:
 * nothing has to be relayed, and how the messages are serialized is between the parent and the program.
 */
function channelVariables(inherited: readonly number[]): Environment {
  const initial = initialEnvironment();
  const variables = ["NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE"].flatMap((name): [string, string][] => {
    const value = initial.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return new Map(inherited.includes(Number(initial.get("NODE_CHANNEL_FD"))) ? variables : []);
}
