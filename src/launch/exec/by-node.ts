/**
 * Exec mode without the addon, by `process.execve`. It is used for `--mode exec`, and in the stand-alone executables that Bun
 * makes.
 */
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

/** Becomes the program. Returns only if that fails: the error code. */
export function executeByNode({ file, argv, environment }: Program): string {
  if (!hasExecve(process)) return "ENOSYS";
  // Node.js ignores these signals, and the program would inherit that. execve(2) resets a caught signal to its default action.
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
 * If a refusal is possible but not certain, env(1) executes the program.
 *
 * @throws SophiaError if the system is certain to refuse the program
 */
export async function withoutRisk(program: Program, { command }: Launch): Promise<Program> {
  if (!abortsOnFailure()) return program;
  if (!fits(measure(program))) throw executionError(command[0], program, "E2BIG");
  const image = inspectImage(program.file);
  if (image.kind === "native" && !mayBeBusy(program.file)) return program;
  if (image.kind === "foreign")
    await (await import("../program/emulation.ts")).refuseForeignProgram(command[0], program);
  if (image.kind === "dangling") throw executionError(command[0], program, "ENOENT");
  // env(1) is certain to start, and reports the errors that would abort this process. It would take a command with `=` for a
  // variable.
  const env = findHelper("env", program.environment);
  if (env === undefined || command[0].includes("=")) return program;
  return { ...program, file: env, argv: ["env", "--", ...program.argv] };
}

/** Returns true if a failure of process.execve ends this process. */
function abortsOnFailure(): boolean {
  if (isBun) return false;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major < 26 || (major === 26 && minor < 1);
}

/** Returns true if the file may be open for writing. The kernel would refuse it then (ETXTBSY); no system call shows that before. */
function mayBeBusy(file: string): boolean {
  return attempt(() => Date.now() - statSync(file).ctimeMs >= BUSY_MS) !== true;
}

function hasExecve(runtime: NodeJS.Process): runtime is NodeJS.Process & WithExecve {
  return "execve" in runtime;
}
