import { loader } from "../system/addon/addon.ts";
import { isBun } from "../system/runtime.ts";
import type { Libc } from "../../native/system.ts";
import { replace } from "./exec/replace-process.ts";
import type { Obstacle } from "./exec/obstacles.ts";
import { locate } from "./program/find-executable.ts";
import { validate } from "./program/program-strings.ts";
import { isCloseOnExec } from "./proc/descriptors.ts";
import type { Launch, LaunchRequest } from "./types.ts";

export type {
  LaunchRequest,
  LaunchBroker,
  LocatedCommand,
  Preparation,
  OutputMasking,
  Renewal,
  SecretFile,
  Watch,
} from "./types.ts";

/**
 * Starts the program and ends as the program ends.
 *
 * @throws SophiaError if nothing was started: 127 if the command was not found, 126 if it cannot be executed, else 125
 */
export async function launch(request: LaunchRequest): Promise<never> {
  validate(request);
  const { files, options, preparation } = request;
  const inherited = await preparation.inherited;
  const profiled = await preparation.profiled;
  const libc = preparation.addon;
  const task = parentTask(request);
  const closed = libc === undefined ? inherited.numbers.filter((one) => isBun || isCloseOnExec(one) !== false) : [];
  const obstacle =
    execObstacle(request, libc, profiled) ??
    task ??
    (closed.length > 0 ? closed : undefined) ??
    (files.length > 0 ? "files" : undefined);
  if (options.mode === "exec" && obstacle !== undefined && obstacle !== "files") {
    throw (await import("./exec/obstacles.ts")).execUnavailable(obstacle);
  }
  const program = await locate(request);
  const streams = loader?.caller?.streams ?? [0, 1, 2];
  const prepared: Launch = { ...request, program, inherited, profiled, streams, libc };
  if (options.mode !== "spawn") {
    if (obstacle === undefined) return replace(prepared);
    if (obstacle === "files") await (await import("./exec/cleaner.ts")).replaceWithCleaner(prepared);
  }
  if (libc !== undefined && (task === undefined || task === "kill-after")) {
    await (await import("./monitor/replace-by-monitor.ts")).replaceWithMonitor(prepared);
  }
  return (await import("./spawn/spawn.ts")).spawn(prepared);
}

function execObstacle({ options }: LaunchRequest, libc: Libc | undefined, profiled: boolean): Obstacle | undefined {
  if (process.platform === "win32") return "windows";
  // process.execve closes inherited descriptors, and before Node.js 26.1 it aborts if the system refuses the program.
  if (libc === undefined && !isBun && !(options.mode === "exec" && "execve" in process)) return "no-execve";
  // A pending SIGPROF can reach the program even if process.execve ends the profiler first.
  return profiled ? "profiler" : undefined;
}

/** Returns a task for the parent process while the program runs. Only the last one needs no JavaScript. */
function parentTask({ options, outputMasking, watch, broker }: LaunchRequest): Obstacle | undefined {
  if (outputMasking !== undefined) return "outputMasking";
  if (watch !== undefined) return "watch";
  if (broker !== undefined) return "broker";
  if (process.send !== undefined) return "channel";
  return options.killAfterMs === undefined ? undefined : "kill-after";
}
