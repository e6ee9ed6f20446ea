/** The file of a program: the look-up of its command, as execvp(3) does it. */
import { accessSync, constants, statSync } from "node:fs";
import type { Environment } from "../../core/model.ts";
import { isExecutable, isMissing, loader } from "../../system/addon/addon.ts";
import { codeOrThrow, NOT_ON_PATH } from "../../system/errors.ts";
import type { LaunchRequest, Program } from "../types.ts";

/** The search path of execvp(3) without `PATH`. */
const DEFAULT_PATH = "/bin:/usr/bin";
const MAX_NAME_BYTES = 255; // NAME_MAX

/** Finds a command's file as execvp(3) does (POSIX), except that an empty element of the path is not the working directory. */
export function lookUp(
  command: string,
  searchPath: string | undefined,
): { readonly file: string } | { readonly problem: string } {
  if (command === "") return { problem: NOT_ON_PATH };
  if (command.includes("/")) {
    const problem = examine(command);
    return problem === undefined ? { file: command } : { problem };
  }
  if (Buffer.byteLength(command) > MAX_NAME_BYTES) return { problem: "ENAMETOOLONG" };
  let refused: string | undefined;
  for (const folder of (searchPath ?? DEFAULT_PATH).split(":")) {
    if (folder === "") continue;
    const file = folder.endsWith("/") ? folder + command : `${folder}/${command}`;
    const problem = examine(file);
    if (problem === undefined) return { file };
    if (problem === "EACCES" || problem === "EISDIR") refused = problem;
  }
  return { problem: refused ?? NOT_ON_PATH };
}

export function findHelper(name: string, environment: Environment): string | undefined {
  const found = lookUp(name, environment.get("PATH"));
  return "file" in found ? found.file : undefined;
}

/** Returns the error code that execve would give; undefined if none is foreseeable. */
function examine(path: string): string | undefined {
  if (isExecutable(path)) return undefined;
  if (isMissing(path)) return "ENOENT";
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return "EISDIR";
    if (!stat.isFile()) return "EACCES";
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return codeOrThrow(error);
  }
}

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

const SCRIPT_SHELL = "/bin/sh";

/** Has the shell run the program as a script, as execvp(3) does after ENOEXEC. */
export function asShellScript(program: Program): Program {
  return { ...program, file: SCRIPT_SHELL, argv: [SCRIPT_SHELL, program.file, ...program.argv.slice(1)] };
}
