import { accessSync, constants, statSync } from "node:fs";
import { systemErrorCode } from "../system/errors.ts";
import { commandNotFound, startError } from "./start-error.ts";

/** The path that execvp(3) takes where `PATH` is not set. */
const defaultPath = "/bin:/usr/bin";
/** Longest name of a file (NAME_MAX), in bytes. */
const maxNameBytes = 255;

/**
 * Finds the file to execute as execvp(3) does, POSIX only: a command with a slash is a path, any other is looked up
 * in `searchPath`, past folders and files that may not be executed. An empty element of the path does not stand for
 * the working directory: whoever wants that writes `.`.
 *
 * @throws SophiaError 127 when there is no such file, 126 when it may not be executed
 */
export function findExecutable(command: string, searchPath: string | undefined): string {
  if (command === "") throw commandNotFound(command);
  if (command.includes("/")) {
    const problem = examine(command, "exactly");
    if (problem !== undefined) throw startError(command, problem);
    return command;
  }
  if (Buffer.byteLength(command) > maxNameBytes) throw startError(command, "ENAMETOOLONG");
  let refused: string | undefined;
  for (const folder of (searchPath ?? defaultPath).split(":")) {
    if (folder === "") continue;
    const path = folder.endsWith("/") ? folder + command : `${folder}/${command}`;
    const problem = examine(path);
    if (problem === undefined) return path;
    if (problem === "EACCES" || problem === "EISDIR") refused = problem;
  }
  throw refused === undefined ? commandNotFound(command) : startError(command, refused);
}

/**
 * @returns the code of the error that executing the file would give, undefined when none is in sight. Only `exactly`
 *   tells ENOTDIR from ENOENT: most folders of a search path are asked in vain, and each error takes its time.
 */
function examine(path: string, how?: "exactly"): string | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) {
      if (how === "exactly") accessSync(path); // says whether it is ENOENT or ENOTDIR
      return "ENOENT";
    }
    if (stat.isDirectory()) return "EISDIR";
    if (!stat.isFile()) return "EACCES";
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return code;
  }
}
