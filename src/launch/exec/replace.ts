import { reached } from "../../core/phases.ts";
import type { Libc } from "../../system/addon/libc.ts";
import { errorName } from "../../system/errors.ts";
import { asShellScript } from "../program/executable.ts";
import type { Launch, Program } from "../types.ts";
import { loader } from "../../system/addon/addon.ts";
import { bytesOf } from "../program/program-bytes.ts";

/**
 * Puts the program in this process's place (execve(2)): same PID, same parent, nothing left beside it.
 *
 * @throws SophiaError when the program cannot be executed
 */
export async function replace(launch: Launch): Promise<never> {
  const { libc, options, preparation } = launch;
  let { program } = launch;
  let executor: (one: Program) => () => string;
  if (libc === undefined) {
    const byNode = await import("./by-node.ts");
    program = await byNode.withoutRisk(program, launch);
    executor = (one) => () => byNode.executeByNode(one);
  } else {
    executor = (one) => byLibc(one, libc, launch);
  }
  if (options.restoreNofile) (await import("../open-files.ts")).setCallersOpenFiles();
  // Here, so that the code for it is kept, too.
  const execute = executor(program);
  if (preparation.firstProcess) {
    // Two turns of the event loop deliver what was sent so far. A signal that comes between here and execve is lost.
    await nextTurn();
    await nextTurn();
  } else {
    // Not as PID 1: the next container seldom finds the files.
    loader?.cacheCode();
  }
  preparation.stopListening();
  preparation.restoreCoreFilter();
  // A stream of Node's on a pipe or terminal makes it non-blocking, for all who share it.
  if (preparation.preloaded) for (const stream of [0, 1, 2]) preparation.addon?.makeBlocking(stream);
  return explain(execute(), program, launch, (script) => executor(script)());
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
    const { inspectImage } = await import("../program/image.ts");
    if (inspectImage(program.file).kind === "unknown") last = execute(asShellScript(program));
  }
  throw (await import("../program/start-error.ts")).executionError(command[0], program, last);
}

/** @returns executes the program. It returns the code of the error, if that is not possible; otherwise never */
function byLibc(program: Program, libc: Libc, { inherited, streams }: Launch): () => string {
  const bytes = bytesOf(program);
  return () => {
    // The runtime has made them close-on-exec, the standard streams too.
    for (const descriptor of [...streams, ...inherited.numbers]) libc.keepOnExec(descriptor);
    reached("execve");
    return errorName(libc.execve(bytes, program.argv.length));
  };
}

/** Resolves once the event loop has delivered what it has. */
export async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
