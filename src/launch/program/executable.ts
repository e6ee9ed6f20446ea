import { lookUp } from "./look-up.ts";
import type { Environment } from "../../core/model.ts";
import type { LaunchRequest, Program } from "../types.ts";

const SCRIPT_SHELL = "/bin/sh";

/** Returns the file of a command. @throws SophiaError 127 if there is none, 126 if it may not be executed */
export async function findExecutable(command: string, searchPath: string | undefined): Promise<string> {
  const found = lookUp(command, searchPath);
  if ("file" in found) return found.file;
  throw (await import("./start-error.ts")).startError(command, found.problem);
}

/** Returns the file of a request's command, by the program's own `PATH`. @throws SophiaError as `findExecutable` */
export async function locate({ command, located }: LaunchRequest, environment: Environment): Promise<string> {
  if (process.platform === "win32") return (await import("../windows/find.ts")).fileOnWindows(command[0], environment);
  const searchPath = environment.get("PATH");
  const isLocated = located !== undefined && located.searchPath === searchPath;
  return isLocated ? located.file : findExecutable(command[0], searchPath);
}

/** Has the shell run the program as a script, as execvp(3) does after ENOEXEC. */
export function asShellScript(program: Program): Program {
  return { ...program, file: SCRIPT_SHELL, argv: [SCRIPT_SHELL, program.file, ...program.argv.slice(1)] };
}
