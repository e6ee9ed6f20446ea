import { caller } from "../system/before-bun.ts";
import { isBun } from "../system/runtime.ts";
import type { Libc } from "../system/addon/libc.ts";
import { replace } from "./exec/replace.ts";
import type { Obstacle } from "./exec/obstacles.ts";
import { locate } from "./program/executable.ts";
import { validate } from "./program/validate.ts";
import { isCloseOnExec } from "./proc/descriptors.ts";
import type { Launch, LaunchRequest } from "./types.ts";

export type { LaunchRequest, Located, Preparation, Redaction, Renewal, SecretFile, Watch } from "./types.ts";

/**
 * Starts the program and ends as the program ends.
 *
 * @throws SophiaError when nothing was started: 127 where the command was not found, 126 where it cannot be executed,
 *   125 where the request cannot be met
 */
export async function launch(request: LaunchRequest): Promise<never> {
  validate(request);
  const { command, environment, files, options, preparation } = request;
  const inherited = await preparation.inherited;
  const libc = isBun ? (await import("./exec/libc-of-bun.ts")).loadLibcOfBun() : preparation.addon;
  const task = taskBeside(request);
  const obstacle =
    lackOfExec(request, libc) ??
    task ??
    closedByExec(libc, inherited.numbers) ??
    (files.length > 0 ? "files" : undefined);
  if (options.mode === "exec" && obstacle !== undefined && obstacle !== "files") {
    throw (await import("./exec/obstacles.ts")).execUnavailable(obstacle);
  }
  const file = await locate(request, environment);
  const program = { file, argv: command, environment };
  const streams = (isBun ? caller()?.streams : undefined) ?? [0, 1, 2];
  const prepared: Launch = { ...request, program, inherited, streams, libc };
  if (options.mode !== "spawn" && obstacle === undefined) return replace(prepared);
  if (options.mode !== "spawn" && obstacle === "files") {
    await (await import("./monitor/cleaner.ts")).replaceWithCleaner(prepared);
  }
  if ((preparation.addon !== undefined || isBun) && (task === undefined || task === "kill-after")) {
    await (await import("./monitor/hand-over.ts")).handOver(prepared);
  }
  return (await import("./spawn/spawn.ts")).spawn(prepared);
}

/** Returns why this process has no execve that serves; undefined if it has one. */
function lackOfExec({ options, preparation }: LaunchRequest, libc: Libc | undefined): Obstacle | undefined {
  if (process.platform === "win32") return "windows";
  // Node's own closes what the caller passed, and before Node.js 26.1 aborts where the system refuses the program.
  if (libc === undefined && !isBun && !(options.mode === "exec" && "execve" in process)) return "no-execve";
  // Node's own ends the profiler first, yet a signal that is on its way can still reach the program.
  return preparation.profiled ? "profiler" : undefined;
}

/** Returns a task that is left while the program runs. The monitor does the last one, all others need JavaScript. */
function taskBeside({ options, redaction, watch }: LaunchRequest): Obstacle | undefined {
  if (redaction !== undefined) return "redaction";
  if (watch !== undefined) return "watch";
  if (process.send !== undefined) return "channel";
  return options.killAfterMs === undefined ? undefined : "kill-after";
}

/** The descriptors that an execve other than the C library's would close. */
function closedByExec(libc: Libc | undefined, inherited: readonly number[]): Obstacle | undefined {
  const closed = libc === undefined ? inherited.filter((one) => isBun || isCloseOnExec(one) !== false) : [];
  return closed.length === 0 ? undefined : closed;
}
