import { reached } from "../../core/phases.ts";
import type { Libc } from "../../../native/system.ts";
import { errorName } from "../../system/errors.ts";
import { asShellScript } from "../program/find-executable.ts";
import type { Launch, Program } from "../types.ts";
import { loader } from "../../system/addon/addon.ts";
import { deliverSignals } from "../event-listeners.ts";
import { bytesOf } from "../program/program-strings.ts";

/** Replaces this process by the program (execve(2)). @throws SophiaError if the program cannot be executed */
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
  // Before cacheCode, so that its code is cached, too.
  const execute = executor(program);
  if (preparation.firstProcess) {
    // A signal between here and execve is lost.
    await deliverSignals();
  } else {
    // The cache of a container seldom survives.
    loader?.cacheCode();
  }
  preparation.stopListening();
  preparation.restoreCoreFilter();
  // Streams of Node make a shared pipe or terminal non-blocking.
  if (preparation.preloaded) for (const stream of [0, 1, 2]) preparation.addon?.makeBlocking(stream);
  return runAsScript(execute(), program, launch, (script) => executor(script)());
}

/**
 * Handles the system's refusal of a program: has the shell run a script without `#!`, else throws a SophiaError.
 *
 * @param execute returns an error code only if the execution fails
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

/** Prepares an execution. @returns a function that returns an error code only if the execution fails */
function byLibc(program: Program, libc: Libc, { inherited, streams }: Launch): () => string {
  const bytes = bytesOf(program);
  return () => {
    // The runtime has made them close-on-exec.
    for (const descriptor of [...streams, ...inherited.numbers]) libc.keepOnExec(descriptor);
    reached("execve");
    return errorName(libc.execve(bytes, program.argv.length));
  };
}
