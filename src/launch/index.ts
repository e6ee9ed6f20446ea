import type { Environment } from "../core/model.ts";
import { isBun } from "../system/runtime.ts";
import type { Libc } from "../system/addon/libc.ts";
import { replace } from "./exec/replace.ts";
import type { Obstacle } from "./exec/obstacles.ts";
import { findExecutable } from "./program/executable.ts";
import { isCloseOnExec } from "./proc/descriptors.ts";
import type { Launch, LaunchRequest, Preparation } from "./types.ts";
import type { Unusable } from "./program/unusable.ts";

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
  const task = taskBeside(request);
  const obstacle = lackOfExec(request, libc) ?? task ?? closedByExec(libc, inherited.numbers);
  if (options.mode === "exec" && obstacle !== undefined) {
    throw (await import("./exec/obstacles.ts")).execUnavailable(obstacle);
  }
  const file = await locate(request, environment);
  const program = { file, argv: command, environment };
  const prepared: Launch = { ...request, program, inherited, streams: bun?.streams ?? [0, 1, 2], libc };
  if (options.mode !== "spawn" && obstacle === undefined) return replace(prepared);
  if (preparation.addon !== undefined && (task === undefined || task === "kill-after")) {
    await (await import("./monitor/hand-over.ts")).handOver(prepared);
  }
  const { spawn } = await import("./spawn/spawn.ts");
  return spawn({ ...prepared, libc: libc ?? (await loadLibc(preparation)) }, { validate, locate });
}

/** The C library of this runtime. In Node.js it is there from the start, in Bun it takes a while to load. */
async function loadLibc({ addon }: Preparation): Promise<Libc | undefined> {
  return isBun ? (await import("./exec/libc-of-bun.ts")).loadLibcOfBun() : addon;
}

/** The file of the command, by the program's own `PATH`. @throws SophiaError as `findExecutable` does */
async function locate({ command, located }: LaunchRequest, environment: Environment): Promise<string> {
  if (process.platform === "win32") return (await import("./windows/find.ts")).fileOnWindows(command[0], environment);
  const searchPath = environment.get("PATH");
  return located !== undefined && located.searchPath === searchPath
    ? located.file
    : findExecutable(command[0], searchPath);
}

/** Why this process has no execve that serves; undefined if it has one. */
function lackOfExec({ options, preparation }: LaunchRequest, libc: Libc | undefined): Obstacle | undefined {
  if (process.platform === "win32") return "windows";
  // Node's own closes what the caller passed, and before Node.js 26.1 aborts where the system refuses the program.
  const isAsked = options.mode === "exec" && "execve" in process;
  if (libc === undefined && !isBun && !isAsked) return "no-execve";
  // Node's own ends the profiler first, yet a signal that is on its way can still reach the program.
  return preparation.profiled ? "profiler" : undefined;
}

/** What is left to do while the program runs. The monitor does the last one, all others need JavaScript. */
function taskBeside({ files, options, redaction, watch }: LaunchRequest): Obstacle | undefined {
  if (files.length > 0) return "files";
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
  if (unusable !== undefined) throw (await import("./program/unusable.ts")).unusableError(unusable);
}
