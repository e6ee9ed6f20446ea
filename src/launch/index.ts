/**
 * Chooses how to start the program, and starts it. The commands call `launch` when the program's environment is complete.
 *
 * - Exec mode: the program replaces this process (exec/). This is the usual way, since nothing of sophia-run stays behind.
 * - Spawn mode: a parent process stays, and ends as the program ends. If it has nothing to do that needs JavaScript, it is the
 *   monitor, a small C program that replaces this process (monitor/). Otherwise this process is the parent (spawn/): it masks output
 *   (masking/), restarts the program (watch/), or is its broker (src/broker/).
 */
import { loader } from "../system/addon/addon.ts";
import { isBun } from "../system/runtime.ts";
import type { Libc } from "../../native/system.ts";
import { replaceProcess } from "./exec/replace-process.ts";
import type { Obstacle } from "./exec/obstacles.ts";
import { locate } from "./program/find-executable.ts";
import { validateStrings } from "./program/program-strings.ts";
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
 * Starts the program. This process, or the program that replaces it, ends as the program ends.
 *
 * @throws SophiaError if nothing was started: 127 if the command was not found, 126 if it cannot be executed, else 125
 */
export async function launch(request: LaunchRequest): Promise<never> {
  validateStrings(request);
  const { files, options, preparation } = request;
  const inherited = await preparation.inherited;
  const profiled = await preparation.profiled;
  const libc = preparation.addon;
  const parentTask = findParentTask(request);
  // Node.js has made these descriptors close-on-exec. Only the addon can keep them open for the program.
  const closedByExec =
    libc === undefined ? inherited.numbers.filter((descriptor) => isBun || isCloseOnExec(descriptor) !== false) : [];
  const obstacle =
    findExecObstacle(request, libc, profiled) ??
    parentTask ??
    (closedByExec.length > 0 ? closedByExec : undefined) ??
    (files.length > 0 ? "files" : undefined);
  // Secret files are no obstacle if the cleaner can remove them, which exec/cleaner.ts finds out.
  if (options.mode === "exec" && obstacle !== undefined && obstacle !== "files") {
    throw (await import("./exec/obstacles.ts")).execUnavailable(obstacle);
  }
  const program = await locate(request);
  const streams = loader?.caller?.streams ?? [0, 1, 2];
  const prepared: Launch = { ...request, program, inherited, profiled, streams, libc };
  if (options.mode !== "spawn") {
    if (obstacle === undefined) return replaceProcess(prepared);
    // Returns if no cleaner can be started here.
    if (obstacle === "files") await (await import("./exec/cleaner.ts")).replaceWithCleaner(prepared);
  }
  if (libc !== undefined && (parentTask === undefined || parentTask === "kill-after")) {
    // Returns if the monitor cannot be executed.
    await (await import("./monitor/replace-by-monitor.ts")).replaceWithMonitor(prepared);
  }
  return (await import("./spawn/spawn.ts")).spawn(prepared);
}

/** Returns the reason why this process cannot be replaced, on this system or in this state of the process. */
function findExecObstacle({ options }: LaunchRequest, libc: Libc | undefined, profiled: boolean): Obstacle | undefined {
  if (process.platform === "win32") return "windows";
  // process.execve closes inherited descriptors, and before Node.js 26.1 it aborts if the system refuses the program. So it is
  // used only if the user asks for exec mode.
  if (libc === undefined && !isBun && !(options.mode === "exec" && "execve" in process)) return "no-execve";
  // A pending SIGPROF can reach the program even if process.execve ends the profiler first.
  return profiled ? "profiler" : undefined;
}

/** Returns a task for the parent process while the program runs. Only the last one, `kill-after`, needs no JavaScript. */
function findParentTask({ options, outputMasking, watch, broker }: LaunchRequest): Obstacle | undefined {
  if (outputMasking !== undefined) return "outputMasking";
  if (watch !== undefined) return "watch";
  if (broker !== undefined) return "broker";
  if (process.send !== undefined) return "channel";
  return options.killAfterMs === undefined ? undefined : "kill-after";
}
