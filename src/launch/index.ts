import { ExitStatus, SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import { printable } from "../core/text.ts";
import { closesOnExec } from "./proc/descriptors.ts";
import type { Preparation } from "./preflight.ts";
import { hasExecve } from "./exec/execve.ts";
import { findExecutable } from "./executable.ts";
import type { Program } from "./helpers.ts";
import { libcOf, type Libc } from "./exec/libc.ts";
import { replace } from "./exec/replace.ts";
import { isBun } from "../system/runtime.ts";
import type { SecretFile } from "./spawn/secret-files.ts";

export type { SecretFile } from "./spawn/secret-files.ts";
export type { Preparation } from "./preflight.ts";

/** How the program is started: beside this process, in its place, or whichever is the better that is safe. */
export type Mode = "auto" | "spawn" | "exec";

export interface LaunchOptions {
  readonly mode: Mode;
  /** SIGKILL this many milliseconds after a forwarded TERM, INT or QUIT; absent: the program takes the time it takes. */
  readonly killAfterMs?: number;
  /** The program does not outlive this process, even if that is killed by SIGKILL. Needs setpriv. */
  readonly dieWithLauncher: boolean;
  /** The program gets the caller's soft limit on open files. Needs prlimit. */
  readonly restoreNofile: boolean;
}

export interface LaunchRequest {
  /** The command as typed, and its arguments. */
  readonly command: readonly [string, ...string[]];
  /** The program's whole environment, but for the paths of `files`. */
  readonly environment: Environment;
  /** Secrets that the program gets as private files. */
  readonly files: readonly SecretFile[];
  readonly options: LaunchOptions;
  readonly preparation: Preparation;
}

/** A request with its program found and checked; what the two ways of starting it take. */
export interface Launch extends LaunchRequest {
  readonly program: Program;
  /** Which of the descriptors 0 to 2 the caller had open, as far as that can be known. */
  readonly streams: readonly number[];
  /** The channel to a Node.js parent is among the descriptors that are handed on: nothing has to be relayed. */
  readonly handsChannelOn: boolean;
  /** The C library, where execve is to be called there: the runtime's own may change what the program inherits. */
  readonly libc: Libc | undefined;
}

/**
 * Starts the program and ends as the program ends.
 *
 * @throws SophiaError when nothing was started: 127 where the command was not found, 126 where it cannot be executed,
 *   125 where the request cannot be met
 */
export async function launch(request: LaunchRequest): Promise<never> {
  validate(request);
  const { command, options, preparation } = request;
  const bun = isBun ? (await import("./exec/bun.ts")).leftByBun(preparation.inherited) : undefined;
  const environment = bun === undefined ? request.environment : new Map([...request.environment, ...bun.channel]);
  const handsChannelOn = bun !== undefined && bun.channel.size > 0;
  // Bun's own execve does as well where nothing has to be kept that it would close or change, and is sooner at hand.
  const bunSuffices = bun !== undefined && preparation.inherited.length === 0 && !bun.lostByExecve;
  const libc = options.mode === "spawn" || bunSuffices ? undefined : await libcOf(preparation);
  const obstacle = options.mode === "spawn" ? undefined : obstacleToExec(request, libc, handsChannelOn);
  if (options.mode === "exec" && obstacle !== undefined) {
    throw new SophiaError({
      code: "exec-unavailable",
      message: `--mode exec cannot be had: ${obstacle}`,
      hint: "use --mode auto, which starts the program beside sophia-run where it has to",
    });
  }
  const file = process.platform === "win32" ? command[0] : findExecutable(command[0], environment.get("PATH"));
  const program: Program = { file, argv: command, environment };
  const streams = bun?.streams ?? [0, 1, 2];
  const prepared: Launch = { ...request, environment, program, streams, handsChannelOn, libc };
  if (options.mode !== "spawn" && obstacle === undefined) {
    await replace(prepared);
  }
  return (await import("./spawn/spawn.ts")).spawn(prepared);
}

/** Why this process cannot make room for the program; undefined when it can. */
function obstacleToExec(
  { files, options, preparation }: LaunchRequest,
  libc: Libc | undefined,
  handsChannelOn: boolean,
): string | undefined {
  if (process.platform === "win32") return "Windows has no execve";
  if (libc === undefined && !hasExecve(process)) {
    return `sophia-run's addon was not loaded, and Node.js ${process.version} has no process.execve (22.15 and later have)`;
  }
  // Node's own execve ends the profiler first, yet a signal that is on its way can reach the program all the same.
  if (preparation.profiled) return "a profiler takes samples of this process, by a signal that would kill the program";
  if (files.length > 0) return "secret files have to be removed when the program ends";
  if (options.killAfterMs !== undefined) return "--kill-after needs a process beside the program";
  if (process.send !== undefined && !(handsChannelOn && libc !== undefined)) {
    return "the caller's IPC channel would be lost";
  }
  if (libc !== undefined) return undefined;
  const closed = preparation.inherited.filter(closesOnExec);
  if (closed.length === 0) return undefined;
  return closed.length === 1
    ? `the inherited descriptor ${closed.join()} would be closed`
    : `the inherited descriptors ${closed.join(", ")} would be closed`;
}

/** What no system takes in an environment or as an argument; Node's own messages would show the value. */
function validate({ command, environment, files }: LaunchRequest): void {
  environment.forEach((value, name) => {
    validateName(name);
    if (value.includes("\0")) {
      throw unusable(`the value of ${printable(name)} holds a NUL character`, "change the value in its source");
    }
  });
  for (const { name } of files) validateName(name);
  for (const [index, argument] of command.entries()) {
    if (argument.includes("\0")) throw unusable(`argument ${index} holds a NUL character`, "change the argument");
  }
}

function validateName(name: string): void {
  if (name !== "" && !name.includes("=") && !name.includes("\0")) return;
  const what = name === "" ? "an environment variable has no name" : `${printable(name)} cannot be a variable's name`;
  throw unusable(what, "rename it in its source: a name has at least one character, no = and no NUL");
}

function unusable(message: string, hint: string): SophiaError {
  return new SophiaError({ code: "unusable-value", message, hint }, ExitStatus.failed);
}
