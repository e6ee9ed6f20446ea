import type { Environment } from "../core/model.ts";
import { isBun } from "../system/runtime.ts";
import { hasExecve } from "./exec/execve.ts";
import type { Libc } from "../system/addon/libc.ts";
import { loadLibc } from "./exec/load-libc.ts";
import { replace } from "./exec/replace.ts";
import type { Obstacle } from "./exec/obstacles.ts";
import { findExecutable } from "./executable.ts";
import { isClosedByExec } from "./proc/descriptors.ts";
import type { Launch, LaunchRequest } from "./types.ts";
import type { Unusable } from "./unusable.ts";

export type { LaunchRequest, Located, Preparation, Redaction, Renewal, SecretFile, Watch } from "./types.ts";

/**
 * Starts the program and ends as the program ends.
 *
 * @throws SophiaError when nothing was started: 127 where the command was not found, 126 where it cannot be executed,
 *   125 where the request cannot be met
 */
export async function launch(request: LaunchRequest): Promise<never> {
  await validate(request);
  const { command, environment, options, preparation } = request;
  const inherited = await preparation.inherited;
  const bun = isBun ? (await import("./exec/bun.ts")).leftByBun(request, inherited.numbers) : undefined;
  const libc = options.mode === "spawn" || bun?.suffices === true ? undefined : await loadLibc(preparation);
  const obstacle = options.mode === "spawn" ? undefined : obstacleToExec(request, libc, inherited.numbers);
  if (options.mode === "exec" && obstacle !== undefined && obstacle !== "files") {
    throw (await import("./exec/obstacles.ts")).execUnavailable(obstacle);
  }
  const file = await locate(request, environment);
  const program = { file, argv: command, environment };
  const prepared: Launch = { ...request, program, inherited, streams: bun?.streams ?? [0, 1, 2], libc };
  if (options.mode !== "spawn" && obstacle === undefined) {
    await replace(prepared);
  } else {
    if (obstacle === "files") await (await import("./monitor/cleaner.ts")).replaceWithCleaner(prepared);
    if (!needsJavaScript(request)) await (await import("./monitor/hand-over.ts")).handOver(prepared);
  }
  return (await import("./spawn/spawn.ts")).spawn(prepared, { validate, locate });
}

/** The file of the command, by the program's own `PATH`. @throws SophiaError as `findExecutable` does */
async function locate({ command, located }: LaunchRequest, environment: Environment): Promise<string> {
  if (process.platform === "win32") return (await import("./windows/find.ts")).fileOnWindows(command[0], environment);
  const searchPath = environment.get("PATH");
  return located !== undefined && located.searchPath === searchPath
    ? located.file
    : findExecutable(command[0], searchPath);
}

/** Why this process cannot make room for the program; undefined when it can. */
function obstacleToExec(
  { files, options, preparation, redaction, watch }: LaunchRequest,
  libc: Libc | undefined,
  inherited: readonly number[],
): Obstacle | undefined {
  if (process.platform === "win32") return "windows";
  if (libc === undefined && !hasExecve(process)) return "no-execve";
  // Node's own execve ends the profiler first, yet a signal that is on its way can still reach the program.
  if (preparation.profiled) return "profiler";
  if (redaction !== undefined) return "redaction";
  if (options.killAfterMs !== undefined) return "kill-after";
  if (watch !== undefined) return "watch";
  if (process.send !== undefined) return "channel";
  const closed = libc === undefined ? inherited.filter(isClosedByExec) : [];
  if (closed.length > 0) return closed;
  // The last one: another process may remove them, see monitor/cleaner.ts.
  return files.length > 0 ? "files" : undefined;
}

/** Whether something is left to do while the program runs that only JavaScript can. */
function needsJavaScript({ preparation, redaction, watch }: LaunchRequest): boolean {
  return (
    (preparation.addon === undefined && !isBun) ||
    redaction !== undefined ||
    watch !== undefined ||
    process.send !== undefined
  );
}

/** What no system takes in an environment or as an argument; Node's own messages would show the value. */
function findUnusable({ command, environment, files }: LaunchRequest): Unusable | undefined {
  const found: Unusable[] = [];
  // Not for…of, which makes three objects for each of thousands.
  environment.forEach((value, name) => {
    if (!isName(name)) found.push({ kind: "name", name });
    else if (value.includes("\0")) found.push({ kind: "value", name });
  });
  if (found[0] !== undefined) return found[0];
  for (const { name } of files) if (!isName(name)) return { kind: "name", name };
  const index = command.findIndex((argument) => argument.includes("\0"));
  return index === -1 ? undefined : { kind: "argument", index };
}

function isName(name: string): boolean {
  return name !== "" && !name.includes("=") && !name.includes("\0");
}

/** @throws SophiaError (unusable-value, 125) */
async function validate(request: LaunchRequest): Promise<void> {
  const unusable = findUnusable(request);
  if (unusable !== undefined) throw (await import("./unusable.ts")).unusableError(unusable);
}
