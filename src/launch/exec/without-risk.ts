import { statSync } from "node:fs";
import { fits, measure } from "../argument-size.ts";
import { executionError } from "../start-error.ts";
import type { Launch, Program } from "../types.ts";
import { inspectImage, isLoadable } from "./image.ts";

/** A file that was changed less than this long ago may still be open for writing. */
const BUSY_MS = 60_000;

/**
 * Makes sure beforehand that execve will not fail.
 *
 * @returns what to execute; undefined: start it beside this process, where an error does not abort
 * @throws SophiaError where it is to be executed all the same and cannot be
 */
export async function withoutRisk(program: Program, { command, options }: Launch): Promise<Program | undefined> {
  const isSmallEnough = fits(measure(program));
  const image = inspectImage(program.file);
  if (isSmallEnough && isLoadable(image) && !mayBeBusy(program.file)) return program;
  if (options.mode !== "exec") return undefined;
  if (!isSmallEnough) throw executionError(command[0], program, "E2BIG");
  if (image.kind === "foreign") await (await import("./emulation.ts")).refuseForeignProgram(command[0], program);
  if (image.kind === "dangling") throw executionError(command[0], program, "ENOENT");
  // env(1) is certain to start, takes this process's place, and words the errors that would abort here. It would take
  // a command with `=` for a variable.
  const { findHelper } = await import("../helper-programs.ts");
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
