import { accessSync, constants, statSync } from "node:fs";
import { systemErrorCode } from "../system/errors.ts";
import { commandNotFound, startError } from "./start-error.ts";
import type { Program } from "./types.ts";

/** The path that execvp(3) takes where `PATH` is not set. */
const DEFAULT_PATH = "/bin:/usr/bin";
/** The longest name of a file (NAME_MAX), in bytes. */
const MAX_NAME_BYTES = 255;
/** The shell that runs a script without `#!`, as in execvp(3). */
const SCRIPT_SHELL = "/bin/sh";

/**
 * Finds the file to execute as execvp(3) does, POSIX only: a command with a slash is a path, any other is looked up
 * in `searchPath`; folders and files without permission to execute are passed over. An empty element of the path does
 * not mean the working directory, which `.` does.
 *
 * @throws SophiaError 127 when there is no such file, 126 when permission to execute it is missing
 */
export function findExecutable(command: string, searchPath: string | undefined): string {
  if (command === "") throw commandNotFound(command);
  if (command.includes("/")) {
    const problem = examine(command);
    if (problem !== undefined) throw startError(command, problem);
    return command;
  }
  if (Buffer.byteLength(command) > MAX_NAME_BYTES) throw startError(command, "ENAMETOOLONG");
  let refused: string | undefined;
  for (const folder of (searchPath ?? DEFAULT_PATH).split(":")) {
    if (folder === "") continue;
    const path = folder.endsWith("/") ? folder + command : `${folder}/${command}`;
    const problem = examine(path);
    if (problem === undefined) return path;
    if (problem === "EACCES" || problem === "EISDIR") refused = problem;
  }
  throw refused === undefined ? commandNotFound(command) : startError(command, refused);
}

/** The program as a script of the shell; what execvp(3) does after ENOEXEC. */
export function asShellScript(program: Program): Program {
  return { ...program, file: SCRIPT_SHELL, argv: [SCRIPT_SHELL, program.file, ...program.argv.slice(1)] };
}

/** @returns the code of the error that executing the file would give, undefined when none is in sight */
function examine(path: string): string | undefined {
  try {
    const stat = statSync(path);
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
