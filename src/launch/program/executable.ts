import { lookUp } from "./look-up.ts";
import { loader } from "../../system/addon/addon.ts";
import type { LaunchRequest, Program } from "../types.ts";

const SCRIPT_SHELL = "/bin/sh";

/** Returns the file of a command. @throws SophiaError 127 if there is none, 126 if it may not be executed */
export async function findExecutable(command: string, searchPath: string | undefined): Promise<string> {
  const found = lookUp(command, searchPath);
  if ("file" in found) return found.file;
  throw (await import("./start-error.ts")).startError(command, found.problem);
}

/** Returns the program of a request, looked up on its own `PATH`. @throws SophiaError as `findExecutable` */
export async function locate({ command, environment, located }: LaunchRequest): Promise<Program> {
  const [name] = command;
  const searchPath = environment.get("PATH");
  // No option withholds these: the program has the descriptor anyway, and its parent waits for messages.
  const channel = loader?.channel;
  let file: string;
  if (process.platform === "win32") {
    file = (await import("../windows/find.ts")).fileOnWindows(name, environment);
  } else {
    const isLocated = located !== undefined && located.searchPath === searchPath;
    file = isLocated ? located.file : await findExecutable(name, searchPath);
  }
  return { file, argv: command, environment: channel ? new Map([...environment, ...channel]) : environment };
}

/** Has the shell run the program as a script, as execvp(3) does after ENOEXEC. */
export function asShellScript(program: Program): Program {
  return { ...program, file: SCRIPT_SHELL, argv: [SCRIPT_SHELL, program.file, ...program.argv.slice(1)] };
}
