/**
 * Exec mode: replaces this process by the program (execve(2)), which keeps the PID. After that nothing of sophia-run is left.
 */
import { recordPhaseEnd } from "../../core/phases.ts";
import type { Libc } from "../../../native/system.ts";
import { errorName } from "../../system/errors.ts";
import { asShellScript } from "../program/find-executable.ts";
import type { Launch, Program } from "../types.ts";
import { loader } from "../../system/addon/addon.ts";
import { deliverSignals } from "../event-listeners.ts";
import { bytesOf } from "../program/program-strings.ts";

/** Executes a program. Returns only if that fails. @returns the code of the system's error */
type Execution = () => string;

/** Replaces this process by the program. @throws SophiaError if the program cannot be executed */
export async function replaceProcess(launch: Launch): Promise<never> {
  const { libc, options, preparation } = launch;
  let { program } = launch;
  /** Does all that can be done before this process is changed for the execution of a program. */
  let prepareExecution: (target: Program) => Execution;
  if (libc === undefined) {
    const byNode = await import("./by-node.ts");
    program = await byNode.withoutRisk(program, launch);
    prepareExecution = (target) => () => byNode.executeByNode(target);
  } else {
    prepareExecution = (target) => prepareByLibc(target, libc, launch);
  }
  if (options.restoreNofile) (await import("../open-files.ts")).setCallersOpenFiles();
  // The preparation precedes cacheCode, so that its compiled code is cached, too.
  const execute = prepareExecution(program);
  if (preparation.isFirstProcess) {
    // PID 1 has listeners, which must get each signal that has arrived. A signal between this line and execve is lost.
    await deliverSignals();
  } else {
    // PID 1 writes no cache, because the cache of a container seldom survives it.
    loader?.cacheCode();
  }
  preparation.stopListening();
  preparation.restoreCoreFilter();
  // Preloaded code may have opened streams of Node.js, which make a shared pipe or terminal non-blocking.
  if (preparation.preloaded) for (const stream of [0, 1, 2]) preparation.addon?.makeBlocking(stream);
  return runAsScript(execute(), program, launch, (script) => prepareExecution(script)());
}

/**
 * Handles the system's refusal to execute a program. If it is a script without `#!`, the shell runs it, as execvp(3) does.
 *
 * @param code the code of the system's error
 * @param execute executes the shell; returns the code of the system's error only if that fails
 * @throws SophiaError if the shell cannot be executed either, or for any other program
 */
export async function runAsScript(
  code: string,
  program: Program,
  { command }: Launch,
  execute: (script: Program) => string,
): Promise<never> {
  let lastCode = code;
  if (code === "ENOEXEC") {
    const { inspectImage } = await import("../program/image.ts");
    if (inspectImage(program.file).kind === "unknown") lastCode = execute(asShellScript(program));
  }
  throw (await import("../program/start-error.ts")).executionError(command[0], program, lastCode);
}

/** Encodes the program's strings, so that the returned function needs little time. */
function prepareByLibc(program: Program, libc: Libc, { inherited, streams }: Launch): Execution {
  const bytes = bytesOf(program);
  return () => {
    // Node.js has made these descriptors close-on-exec.
    for (const descriptor of [...streams, ...inherited.numbers]) libc.keepOnExec(descriptor);
    recordPhaseEnd("execve");
    return errorName(libc.execve(bytes, program.argv.length));
  };
}
