import { lookUp } from "./look-up.ts";
import type { Program } from "../types.ts";

/** The shell that runs a script without `#!`, as in execvp(3). */
const SCRIPT_SHELL = "/bin/sh";

/**
 * The file of a command, as {@link lookUp} finds it.
 *
 * @throws SophiaError 127 when there is no such file, 126 when permission to execute it is missing
 */
export async function findExecutable(command: string, searchPath: string | undefined): Promise<string> {
  const found = lookUp(command, searchPath);
  if ("file" in found) return found.file;
  throw (await import("./start-error.ts")).startError(command, found.problem);
}

/** The program as a script of the shell; what execvp(3) does after ENOEXEC. */
export function asShellScript(program: Program): Program {
  return { ...program, file: SCRIPT_SHELL, argv: [SCRIPT_SHELL, program.file, ...program.argv.slice(1)] };
}
