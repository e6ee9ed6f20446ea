import { statSync } from "node:fs";
import type { SophiaError } from "../../core/error.ts";
import { errorName, systemErrorCode } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import { fits, measure } from "../argument-size.ts";
import { asShellScript } from "../executable.ts";
import { findHelper, withCallersOpenFiles } from "../helper-programs.ts";
import { executionError } from "../start-error.ts";
import type { Launch, Program } from "../types.ts";
import { hasExecve, stopIgnoring } from "./execve.ts";
import { inspectImage, isLoadable } from "./image.ts";
import { bytesOf } from "./program-bytes.ts";

/** A file that was changed less than this long ago may still be open for writing. */
const BUSY_MS = 60_000;

/**
 * Puts the program in this process's place (execve(2)): same PID, same parent, nothing left beside it.
 *
 * @returns only where `auto` is better served by starting the program beside this process
 * @throws SophiaError when the program cannot be executed
 */
export async function replace(launch: Launch): Promise<void> {
  const { libc, options, preparation } = launch;
  const wanted = options.restoreNofile ? withCallersOpenFiles(launch.program) : launch.program;
  const program = libc === undefined && failureAborts() ? withoutRisk(wanted, launch) : wanted;
  if (program === undefined) return;
  if (preparation.firstProcess) {
    // Two turns of the event loop deliver what was sent so far. Then the listeners have to go: a signal that is caught
    // between here and execve would be lost, while for PID 1 the kernel drops it; this gap is as short as it can be.
    await nextTurn();
    await nextTurn();
  }
  preparation.stopListening();
  preparation.restoreCoreFilter();
  // A stream of Node's on a pipe or terminal makes it non-blocking, for all who share it.
  if (preparation.preloaded) for (const stream of [0, 1, 2]) preparation.addon?.makeBlocking(stream);
  throw execute(program, launch);
}

/** @returns the error, if the program cannot be executed; otherwise never */
function execute(program: Program, { command, libc, preparation, streams }: Launch): SophiaError {
  const attempt = (wanted: Program): string => {
    if (libc === undefined) return tryExecve(wanted);
    // The runtime has made them close-on-exec, the standard streams too.
    for (const descriptor of [...streams, ...preparation.inherited]) libc.keepOnExec(descriptor);
    const error = libc.execve(bytesOf(wanted), wanted.argv.length);
    return error === 0 ? tryExecve(wanted) : errorName(error);
  };
  const code = attempt(program);
  return executionError(command[0], program, code === "ENOEXEC" ? attempt(asShellScript(program)) : code);
}

/** @returns the code of the error, if the program cannot be executed; otherwise never */
function tryExecve({ file, argv, environment }: Program): string {
  if (!hasExecve(process)) return "ENOSYS";
  stopIgnoring();
  // Node's warning that execve is experimental would appear on stderr where execve returns.
  process.removeAllListeners("warning");
  try {
    process.execve(file, argv, Object.fromEntries(environment));
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== undefined) return code;
    throw error;
  }
  throw new TypeError("execve returned");
}

/** Before Node.js 26.1 a failing execve ends the process by SIGABRT with a dump of the stack. */
function failureAborts(): boolean {
  if (isBun) return false;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major < 26 || (major === 26 && minor < 1);
}

/**
 * Makes sure beforehand that execve will not fail.
 *
 * @returns what to execute; undefined: start it beside this process, where an error does not abort
 */
function withoutRisk(program: Program, { command, options }: Launch): Program | undefined {
  const isSmallEnough = fits(measure(program));
  const image = inspectImage(program.file);
  if (isSmallEnough && isLoadable(image) && !mayBeBusy(program.file)) return program;
  if (options.mode !== "exec") return undefined;
  if (!isSmallEnough) throw executionError(command[0], program, "E2BIG");
  if (image.kind === "dangling") throw executionError(command[0], program, "ENOENT");
  // env(1) is certain to start, takes this process's place, and words the errors that would abort here. It would take
  // a command with `=` for a variable.
  const env = findHelper("env", program.environment);
  if (env === undefined || command[0].includes("=")) return program;
  return { ...program, file: env, argv: ["env", "--", ...program.argv] };
}

/** Whether the file may still be open for writing (ETXTBSY), which no system call tells beforehand. */
function mayBeBusy(file: string): boolean {
  try {
    return Date.now() - statSync(file).ctimeMs < BUSY_MS;
  } catch {
    return true;
  }
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
