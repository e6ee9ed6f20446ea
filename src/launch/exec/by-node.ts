/**
 * Exec mode without the addon, by `process.execve` of Node.js. replace-process.ts uses it for `--mode exec`, and in the executables
 * that Bun makes for systems without the addon.
 */
import { statSync } from "node:fs";
import { codeOrThrow, attempt } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import { fits, measureSizes } from "../program/argument-size.ts";
import { findHelper } from "../program/find-executable.ts";
import { executionError } from "../program/start-error.ts";
import type { Launch, Program } from "../types.ts";
import { inspectImage } from "../program/image.ts";

/** A file that was changed within this time may still be open for writing, and the kernel would refuse to execute it. */
const BUSY_MS = 60_000;

/** Node.js 22.15, 23.11 and later; the installed types are those of Node.js 20. */
interface WithExecve {
  execve(file: string, argv: readonly string[], environment: Readonly<Record<string, string>>): void;
}

/** Replaces this process by the program. Returns only if that fails. @returns the code of the system's error */
export function executeByNode({ file, argv, environment }: Program): string {
  if (!hasExecve(process)) return "ENOSYS";
  // Node.js ignores these signals, and the program would ignore them, too. execve(2) resets a signal with a listener to its default
  // action.
  for (const signal of ["SIGPIPE", "SIGXFSZ"] as const) process.on(signal, () => {});
  // Otherwise Node.js would print that execve is experimental.
  process.removeAllListeners("warning");
  try {
    process.execve(file, argv, Object.fromEntries(environment));
  } catch (error) {
    return codeOrThrow(error);
  }
  throw new TypeError("execve returned");
}

/**
 * Returns a program that execve(2) does not refuse: before Node.js 26.1 a refusal ends this process by SIGABRT, with a stack dump.
 * If a refusal is possible but not certain, the returned program is env(1), which executes the given program.
 *
 * @throws SophiaError if the system is certain to refuse the program
 */
export async function withoutRisk(
  program: Program,
  { command }: Pick<Launch, "command">,
  nodeVersion: string = process.versions.node,
): Promise<Program> {
  if (!abortsOnFailure(nodeVersion)) return program;
  if (!fits(measureSizes(program))) throw executionError(command[0], program, "E2BIG");
  const image = inspectImage(program.file);
  if (image.kind === "native" && !mayBeBusy(program.file)) return program;
  if (image.kind === "foreign") {
    await (await import("../program/emulation.ts")).refuseForeignProgram(command[0], program);
  }
  if (image.kind === "dangling") throw executionError(command[0], program, "ENOENT");
  // env(1) is certain to start, and reports the errors that would abort this process. A command with `=` cannot be passed to
  // env(1), which would take it for an assignment.
  const env = findHelper("env", program.environment);
  if (env === undefined || command[0].includes("=")) return program;
  return { ...program, file: env, argv: ["env", "--", ...program.argv] };
}

/** Returns true if a failure of process.execve ends this process. */
function abortsOnFailure(nodeVersion: string): boolean {
  if (isBun) return false;
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  return major < 26 || (major === 26 && minor < 1);
}

/**
 * Returns true if the file may be open for writing. The kernel would refuse it then (ETXTBSY); no system call shows that before.
 */
function mayBeBusy(file: string): boolean {
  return attempt(() => Date.now() - statSync(file).ctimeMs >= BUSY_MS) !== true;
}

function hasExecve(runtime: NodeJS.Process): runtime is NodeJS.Process & WithExecve {
  return "execve" in runtime;
}
