/** To become the program without the addon, by `process.execve`: for `--mode exec`, and in the stand-alone executables. */
import { statSync } from "node:fs";
import { systemErrorCode } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import { fits, measure } from "../program/argument-size.ts";
import { findHelper } from "../program/look-up.ts";
import { executionError } from "../program/start-error.ts";
import type { Launch, Program } from "../types.ts";
import { inspectImage } from "../program/image.ts";

/** A file that was changed less than this long ago may still be open for writing. */
const BUSY_MS = 60_000;

/** Node.js 22.15, 23.11 and later; the installed types are those of Node.js 20. */
interface WithExecve {
  /** execve(2). Throws if it fails; before Node.js 26.1 a failure ends the process. */
  execve(file: string, argv: readonly string[], environment: Readonly<Record<string, string>>): void;
}

/** @returns the code of the error, if the program cannot be executed; otherwise never */
export function executeByNode({ file, argv, environment }: Program): string {
  if (!hasExecve(process)) return "ENOSYS";
  // Node ignores these two, and they would stay ignored in the program; a caught signal gets its default action.
  for (const signal of ["SIGPIPE", "SIGXFSZ"] as const) process.on(signal, () => {});
  // That execve is experimental.
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

/**
 * Makes sure that execve does not fail where a failure ends the process by SIGABRT with a dump of the stack.
 *
 * @returns what to execute
 * @throws SophiaError where the system would refuse the program
 */
export async function withoutRisk(program: Program, { command }: Launch): Promise<Program> {
  if (!failureAborts()) return program;
  if (!fits(measure(program))) throw executionError(command[0], program, "E2BIG");
  const image = inspectImage(program.file);
  if (image.kind === "native" && !mayBeBusy(program.file)) return program;
  if (image.kind === "foreign")
    await (await import("../program/emulation.ts")).refuseForeignProgram(command[0], program);
  if (image.kind === "dangling") throw executionError(command[0], program, "ENOENT");
  // env(1) is certain to start, and words the errors that would abort here. A command with `=` is a variable for it.
  const env = findHelper("env", program.environment);
  if (env === undefined || command[0].includes("=")) return program;
  return { ...program, file: env, argv: ["env", "--", ...program.argv] };
}

function failureAborts(): boolean {
  if (isBun) return false;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major < 26 || (major === 26 && minor < 1);
}

/** Returns true if the file may still be open for writing (ETXTBSY), which no system call tells beforehand. */
function mayBeBusy(file: string): boolean {
  try {
    return Date.now() - statSync(file).ctimeMs < BUSY_MS;
  } catch {
    return true;
  }
}

function hasExecve(runtime: NodeJS.Process): runtime is NodeJS.Process & WithExecve {
  return "execve" in runtime;
}
