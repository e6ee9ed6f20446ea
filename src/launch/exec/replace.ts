import { statSync } from "node:fs";
import type { SophiaError } from "../../core/error.ts";
import { hasExecve, stopIgnoring } from "./execve.ts";
import { asShellScript, findHelper, withCallersOpenFiles, type Program } from "../helpers.ts";
import { inspectImage, isLoadable } from "./image.ts";
import type { Launch } from "../index.ts";
import { libcOf, type Libc } from "./libc.ts";
import { fits, isSmall, measure, tooLarge } from "../proc/limits.ts";
import { recordOf } from "./record.ts";
import { isBun } from "../../system/runtime.ts";
import { bytesOf, mayDifferFromOriginal } from "./program-bytes.ts";
import { errorName, systemErrorCode } from "../../system/errors.ts";
import { missingPart, startError } from "../start-error.ts";

/**
 * Puts the program in this process's place (execve(2)): same PID, same parent, nothing left beside it.
 *
 * @returns only where `auto` is better served by starting the program beside this process
 * @throws SophiaError when the program cannot be executed
 */
export async function replace(launch: Launch): Promise<void> {
  const { options, preparation } = launch;
  const wanted = options.restoreNofile ? withCallersOpenFiles(launch.program) : launch.program;
  const program = launch.libc === undefined && failureAborts() ? await withoutRisk(wanted, launch) : wanted;
  if (program === undefined) return;
  // Through the runtime what is not UTF-8 would arrive as U+FFFD.
  const libc = launch.libc ?? (isBun && mayDifferFromOriginal(program) ? await libcOf(preparation) : undefined);
  if (preparation.firstProcess) {
    // Two turns of the event loop deliver what was sent so far. Then the listeners have to go: one that is caught
    // between here and execve would be lost, while for PID 1 the kernel drops it; this gap is as short as it can be.
    await nextTurn();
    await nextTurn();
  }
  preparation.stopListening();
  preparation.restoreCoreFilter();
  // A stream of Node's on a pipe or terminal makes it not wait, for all who share it.
  if (preparation.preloaded) for (const stream of [0, 1, 2]) preparation.addon?.makeBlocking(stream);
  throw execute(program, launch, libc);
}

/** @returns the error, if the program cannot be executed; otherwise never */
function execute(program: Program, { command, preparation, streams }: Launch, libc: Libc | undefined): SophiaError {
  const attempt = (wanted: Program): string => {
    if (libc === undefined) return tryExecve(wanted);
    // The runtime has marked them for closing, the standard streams, too.
    for (const descriptor of [...streams, ...preparation.inherited]) libc.keepOnExec(descriptor);
    const error = libc.execve(bytesOf(wanted), wanted.argv.length);
    return error === 0 ? tryExecve(wanted) : errorName(error);
  };
  const sizes = (): SophiaError => tooLarge(command[0], measure(program.file, program.argv, program.environment));
  const code = attempt(program);
  switch (code) {
    case "E2BIG":
      return sizes();
    case "ENOEXEC": {
      const failure = attempt(asShellScript(program));
      return failure === "E2BIG" ? sizes() : startError(command[0], failure);
    }
    case "ENOENT":
      return missingPart(command[0], program.file);
    default:
      return startError(command[0], code);
  }
}

/** @returns the code of the error, when it comes back */
function tryExecve({ file, argv, environment }: Program): string {
  if (!hasExecve(process)) return "ENOSYS";
  stopIgnoring();
  // Node's note that execve is experimental would come on stderr, where execve returns.
  process.removeAllListeners("warning");
  try {
    process.execve(file, argv, recordOf(environment));
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
async function withoutRisk(program: Program, { command, environment, options }: Launch): Promise<Program | undefined> {
  const explicit = options.mode === "exec";
  if (!isSmall(program.file, program.argv, environment)) {
    const sizes = measure(program.file, program.argv, environment);
    if (!fits(sizes)) {
      if (explicit) throw tooLarge(command[0], sizes);
      return undefined;
    }
  }
  const image = inspectImage(program.file);
  if (explicit && image.kind === "dangling") throw missingPart(command[0], program.file);
  if (isLoadable(image) && !mayBeBusy(program.file)) return program;
  if (!explicit) return undefined;
  // env(1) is certain to start, takes this process's place, and words the errors that would abort here. It would take
  // a command with `=` for a variable.
  const env = findHelper("env", environment);
  if (env === undefined || command[0].includes("=")) return program;
  return { ...program, file: env, argv: ["env", "--", ...program.argv] };
}

/**
 * Whether the file may still be open for writing (ETXTBSY), which no system call tells beforehand: what was changed
 * in the last minute may be.
 */
function mayBeBusy(file: string): boolean {
  try {
    return Date.now() - statSync(file).ctimeMs < 60_000;
  } catch {
    return true;
  }
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
