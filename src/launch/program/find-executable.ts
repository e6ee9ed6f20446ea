/**
 * Finds the file of a command by the rules of execvp(3): `npm` is `/usr/bin/npm`. On Windows, launch/windows/find.ts does this by the rules
 * of Windows.
 */
import { accessSync, constants, statSync } from "node:fs";
import type { Environment } from "../../core/model.ts";
import { isExecutable, isMissing, loader } from "../../system/addon/addon.ts";
import { codeOrThrow, NOT_ON_PATH } from "../../system/errors.ts";
import type { LaunchRequest, Program } from "../types.ts";

/** The folders that execvp(3) of glibc searches if `PATH` is not set. */
const DEFAULT_PATH = "/bin:/usr/bin";
/** The longest name of a file (NAME_MAX). execvp(3) of glibc rejects a longer command before it searches. */
const MAX_NAME_BYTES = 255;
/** The shell that runs a script without `#!`. */
const SCRIPT_SHELL = "/bin/sh";

/**
 * Finds a command's file as execvp(3) does, but skips empty elements of the search path. POSIX takes these for the working directory,
 * where a repository could plant a program.
 *
 * @returns the file, or an error code of the system such as EACCES, or NOT_ON_PATH
 */
export function lookUp(
  command: string,
  searchPath: string | undefined,
): { readonly file: string } | { readonly problem: string } {
  if (command === "") return { problem: NOT_ON_PATH };
  if (command.includes("/")) {
    const problem = executionProblem(command);
    return problem === undefined ? { file: command } : { problem };
  }
  if (Buffer.byteLength(command) > MAX_NAME_BYTES) return { problem: "ENAMETOOLONG" };
  // The search goes on after a file that cannot be executed, since a later folder may have a file that can be. If none has, the problem
  // of the former file helps the user more than "command not found".
  let problemOfFile: string | undefined;
  for (const folder of (searchPath ?? DEFAULT_PATH).split(":")) {
    if (folder === "") continue;
    const file = folder.endsWith("/") ? folder + command : `${folder}/${command}`;
    const problem = executionProblem(file);
    if (problem === undefined) return { file };
    if (problem === "EACCES" || problem === "EISDIR") problemOfFile = problem;
  }
  return { problem: problemOfFile ?? NOT_ON_PATH };
}

/** Returns the file of a program such as env(1) on the `PATH` of an environment; undefined if no file there can be executed. */
export function findHelper(name: string, environment: Environment): string | undefined {
  const result = lookUp(name, environment.get("PATH"));
  return "file" in result ? result.file : undefined;
}

/**
 * Returns the error code with which the system would refuse the file; undefined if no problem is foreseeable. For a folder it is EISDIR,
 * although execve(2) fails with EACCES, so that the message can say that it is a folder.
 */
function executionProblem(path: string): string | undefined {
  // The addon answers the usual cases faster than Node.js. Without the addon both functions return false.
  if (isExecutable(path)) return undefined;
  if (isMissing(path)) return "ENOENT";
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return "EISDIR";
    if (!stats.isFile()) return "EACCES";
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return codeOrThrow(error);
  }
}

/** Returns the file of a command. @throws SophiaError (127) if no file was found, (126) if it cannot be executed */
export async function findExecutable(command: string, searchPath: string | undefined): Promise<string> {
  const result = lookUp(command, searchPath);
  if ("file" in result) return result.file;
  throw (await import("./start-error.ts")).startError(command, result.problem);
}

/**
 * Returns the program of a request. The command is looked up on the `PATH` of the program's environment, which may differ from the `PATH`
 * of this process.
 *
 * @throws SophiaError as {@link findExecutable}
 */
export async function locate({ command, environment, located }: LaunchRequest): Promise<Program> {
  const [name] = command;
  const searchPath = environment.get("PATH");
  // The variables of the caller's IPC channel (NODE_CHANNEL_FD). No option withholds them: the program inherits the descriptor anyway,
  // and the caller waits for its messages.
  const channelVariables = loader?.channel;
  let file: string;
  if (process.platform === "win32") {
    file = (await import("../windows/find.ts")).fileOnWindows(name, environment);
  } else {
    // The file was looked up by the caller's `PATH`, before ESC was contacted. It is right only if the program's `PATH` is the same.
    const isLocated = located !== undefined && located.searchPath === searchPath;
    file = isLocated ? located.file : await findExecutable(name, searchPath);
  }
  return {
    file,
    argv: command,
    environment: channelVariables ? new Map([...environment, ...channelVariables]) : environment,
  };
}

/** Returns the shell with the program as its script, as execvp(3) starts it after ENOEXEC: `/bin/sh FILE ARGUMENT…`. */
export function asShellScript(program: Program): Program {
  return { ...program, file: SCRIPT_SHELL, argv: [SCRIPT_SHELL, program.file, ...program.argv.slice(1)] };
}
