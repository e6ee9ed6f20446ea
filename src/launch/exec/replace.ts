import { reached } from "../../core/phases.ts";
import { errorName, systemErrorCode } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import { asShellScript } from "../executable.ts";
import type { Launch, Program } from "../types.ts";
import { hasExecve, stopIgnoring } from "./execve.ts";
import { loader } from "../../system/addon/loaded.ts";
import { bytesOf } from "./program-bytes.ts";

/**
 * Puts the program in this process's place (execve(2)): same PID, same parent, nothing left beside it.
 *
 * @returns only where `auto` is better served by starting the program beside this process
 * @throws SophiaError when the program cannot be executed
 */
export async function replace(launch: Launch): Promise<void> {
  const { libc, options, preparation } = launch;
  let { program } = launch;
  if (options.restoreNofile) program = (await import("../helper-programs.ts")).withCallersOpenFilesHere(program);
  if (libc === undefined && failureAborts()) {
    const { withoutRisk } = await import("./without-risk.ts");
    const certain = await withoutRisk(program, launch);
    if (certain === undefined) return;
    program = certain;
  }
  // Here, so that the code for it is kept, too.
  const execute = executor(program, launch);
  if (preparation.firstProcess) {
    // Two turns of the event loop deliver what was sent so far. Then the listeners have to go: a signal that is caught
    // between here and execve would be lost, while for PID 1 the kernel drops it; this gap is as short as it can be.
    await nextTurn();
    await nextTurn();
  } else {
    // Not there: the first process of a container mostly is the only one that finds its files.
    loader?.keepCode();
  }
  preparation.stopListening();
  preparation.restoreCoreFilter();
  // A stream of Node's on a pipe or terminal makes it non-blocking, for all who share it.
  if (preparation.preloaded) for (const stream of [0, 1, 2]) preparation.addon?.makeBlocking(stream);
  return explain(execute(), program, launch, (script) => executor(script, launch)());
}

/**
 * Goes on after the system has refused a program: a script without `#!` is for the shell.
 *
 * @param code of the system's error
 * @param execute returns the code of the error, if a program cannot be executed; otherwise never
 * @throws SophiaError that says what is wrong with the program
 */
export async function explain(
  code: string,
  program: Program,
  { command }: Launch,
  execute: (script: Program) => string,
): Promise<never> {
  let last = code;
  if (code === "ENOEXEC") {
    // A script without #!, or a program of another processor.
    const { inspectImage } = await import("./image.ts");
    if (inspectImage(program.file).kind === "unknown") last = execute(asShellScript(program));
  }
  throw (await import("../start-error.ts")).executionError(command[0], program, last);
}

/** @returns executes the program. It returns the code of the error, if that is not possible; otherwise never */
function executor(program: Program, { libc, inherited, streams }: Launch): () => string {
  if (libc === undefined) return () => tryExecve(program);
  const bytes = bytesOf(program);
  return () => {
    // The runtime has made them close-on-exec, the standard streams too.
    for (const descriptor of [...streams, ...inherited.numbers]) libc.keepOnExec(descriptor);
    reached("execve");
    return errorName(libc.execve(bytes, program.argv.length));
  };
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

/** What the event loop has to deliver is delivered. */
export async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
