/**
 * Creates the error for a program that was not started. The message is `COMMAND: REASON`, as in every shell, and the status is 126 or
 * 127.
 */
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { NOT_ON_PATH } from "../../system/errors.ts";
import { measureSizes, reasonTooLarge } from "./argument-size.ts";
import { inspectImage } from "./image.ts";
import type { Program } from "../types.ts";

/** The reasons for the user, by the code of the system's error. */
const REASONS: Readonly<Record<string, string>> = {
  [NOT_ON_PATH]: "command not found",
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long",
  ETXTBSY: "the file is open for writing",
  ENOEXEC: "not a program for this system",
  EFTYPE: "not a program for this system",
  // libuv has no name for this error of macOS (EBADARCH).
  "error 86": "is for another processor",
  EAGAIN: "the limit on processes is reached",
  ENOMEM: "out of memory",
  ERR_ACCESS_DENIED: "Node.js is not allowed to start programs (--permission without --allow-child-process)",
};

/** Limits of the system that sophia-run itself reaches when it starts the program as a child. */
const LIMITS: Readonly<Record<string, string>> = {
  EMFILE: "too many open files",
  ENFILE: "too many open files in the system",
};

/** Returns the error for a program that was not started: 127 if it was not found, otherwise 126, as env(1) and POSIX shells do. */
export function startError(command: string, code: string): SophiaError {
  const exists = code !== "ENOENT" && code !== NOT_ON_PATH;
  return createError(command, REASONS[code] ?? code, exists ? ExitStatus.notExecutable : ExitStatus.notFound);
}

/** Returns the error for a file that exists, but that the system did not execute. Reads the file if that may explain the error. */
export function executionError(command: string, program: Program, code: string): SophiaError {
  const limit = LIMITS[code];
  if (limit !== undefined) {
    // printError adds the remedy for this code.
    return new SophiaError({
      code: "system-limit",
      message: `${limit} (${code}): ${shownCommand(command)} was not started`,
    });
  }
  if (code === "E2BIG") return createError(command, reasonTooLarge(measureSizes(program)), ExitStatus.notExecutable);
  if (code === "ENAMETOOLONG" && process.platform === "win32") {
    const reason = "the command line is too long (the limit of Windows is 32,767 characters, 8,191 for a .cmd file)";
    return createError(command, reason, ExitStatus.notExecutable);
  }
  const mayBeInFile = (code === "ENOENT" || code === "ENOEXEC") && process.platform !== "win32";
  const image = mayBeInFile ? inspectImage(program.file) : undefined;
  if (code === "ENOENT" && image?.kind === "dangling") {
    const reason = `its interpreter ${printable(image.missing)} does not exist or cannot be executed`;
    return createError(command, reason, ExitStatus.notFound);
  }
  if (code === "ENOEXEC" && image?.kind === "foreign" && image.machine !== undefined) {
    const reason = `is for another processor (${image.machine}; this one is ${process.arch})`;
    return createError(command, reason, ExitStatus.notExecutable);
  }
  return startError(command, code);
}

function createError(command: string, reason: string, status: number): SophiaError {
  const code = status === ExitStatus.notFound ? "not-found" : "not-executable";
  return new SophiaError({ code, message: `${shownCommand(command)}: ${reason}` }, status);
}

/** The beginning of a command that certainly contains no secret: up to `=`, `://`, the colon of `user:password@`, or an option. */
const PUBLIC_BEGINNING = /^(.*?(?:=|:\/\/|:(?=[^/@]*@)|\s(?=-))).+/s;

/**
 * Shortens a command for messages and logs: users type an assignment or a URL with a password in place of a command by mistake.
 */
export function shownCommand(command: string): string {
  return command === "" ? "''" : printable(command.replace(PUBLIC_BEGINNING, "$1…"));
}
