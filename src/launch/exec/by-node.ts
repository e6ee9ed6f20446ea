/** Exec mode without the addon, by `process.execve`: for `--mode exec`, and in the stand-alone executables. */
import { statSync } from "node:fs";
import { codeOrThrow, attempt } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import { fits, measure } from "../program/argument-size.ts";
import { findHelper } from "../program/find-executable.ts";
import { executionError } from "../program/start-error.ts";
import type { Launch, Program } from "../types.ts";
import { inspectImage } from "../program/image.ts";

/** The time after a change in which a file may still be open for writing. */
const BUSY_MS = 60_000;

/** Node.js 22.15, 23.11 and later; the installed types are those of Node.js 20. */
interface WithExecve {
  execve(file: string, argv: readonly string[], environment: Readonly<Record<string, string>>): void;
}

/** @returns the code of the error, if the program cannot be executed; otherwise never */
export function executeByNode({ file, argv, environment }: Program): string {
  if (!hasExecve(process)) return "ENOSYS";
  // Node ignores these two, and the program would inherit that; a caught signal gets its default action.
  for (const signal of ["SIGPIPE", "SIGXFSZ"] as const) process.on(signal, () => {});
  // Node would print that execve is experimental.
  process.removeAllListeners("warning");
  try {
    process.execve(file, argv, Object.fromEntries(environment));
  } catch (error) {
    return codeOrThrow(error);
  }
  throw new TypeError("execve returned");
}

/**
 * Prevents a failure of execve, which ends Node.js before 26.1 by SIGABRT with a stack dump.
 *
 * @throws SophiaError if the system would refuse the program
 */
export async function withoutRisk(program: Program, { command }: Launch): Promise<Program> {
  if (!failureAborts()) return program;
  if (!fits(measure(program))) throw executionError(command[0], program, "E2BIG");
  const image = inspectImage(program.file);
  if (image.kind === "native" && !mayBeBusy(program.file)) return program;
  if (image.kind === "foreign")
    await (await import("../program/emulation.ts")).refuseForeignProgram(command[0], program);
  if (image.kind === "dangling") throw executionError(command[0], program, "ENOENT");
  // env(1) is certain to start, and reports the errors that would abort here. It takes a command with `=` for a variable.
  const env = findHelper("env", program.environment);
  if (env === undefined || command[0].includes("=")) return program;
  return { ...program, file: env, argv: ["env", "--", ...program.argv] };
}

function failureAborts(): boolean {
  if (isBun) return false;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major < 26 || (major === 26 && minor < 1);
}

/** Returns true if the file may be open for writing (ETXTBSY), which no system call shows beforehand. */
function mayBeBusy(file: string): boolean {
  return attempt(() => Date.now() - statSync(file).ctimeMs >= BUSY_MS) !== true;
}

function hasExecve(runtime: NodeJS.Process): runtime is NodeJS.Process & WithExecve {
  return "execve" in runtime;
}
