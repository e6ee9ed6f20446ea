import { ExitStatus, SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { NOT_ON_PATH } from "../../system/errors.ts";
import { measure, reasonTooLarge } from "./argument-size.ts";
import { inspectImage } from "./image.ts";
import type { Program } from "../types.ts";

/** Reasons by error code. Statuses are those of env(1) and POSIX shells. */
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
  // EBADARCH of macOS, unknown to libuv.
  "error 86": "is for another processor",
  EAGAIN: "the limit on processes is reached",
  ENOMEM: "out of memory",
  ERR_ACCESS_DENIED: "Node.js is not allowed to start programs (--permission without --allow-child-process)",
};

/** Limits that sophia-run itself meets when it starts the program as a child. */
const LIMITS: Readonly<Record<string, string>> = {
  EMFILE: "too many open files",
  ENFILE: "too many open files in the system",
};

/** Makes the error for a program that was not started: 127 if it was not found, else 126. */
export function startError(command: string, code: string): SophiaError {
  const isThere = code !== "ENOENT" && code !== NOT_ON_PATH;
  return refusal(command, REASONS[code] ?? code, isThere ? ExitStatus.notExecutable : ExitStatus.notFound);
}

/** Makes the error for an existing file that the system did not execute; names the faulty part. */
export function executionError(command: string, program: Program, code: string): SophiaError {
  const limit = LIMITS[code];
  if (limit !== undefined) {
    // printError adds the remedy, by the code.
    return new SophiaError({
      code: "system-limit",
      message: `${limit} (${code}): ${shownCommand(command)} was not started`,
    });
  }
  if (code === "E2BIG") return refusal(command, reasonTooLarge(measure(program)), ExitStatus.notExecutable);
  if (code === "ENAMETOOLONG" && process.platform === "win32") {
    const reason = "the command line is too long (the limit of Windows is 32,767 characters, 8,191 for a .cmd file)";
    return refusal(command, reason, ExitStatus.notExecutable);
  }
  const isOfImage = (code === "ENOENT" || code === "ENOEXEC") && process.platform !== "win32";
  const image = isOfImage ? inspectImage(program.file) : undefined;
  if (code === "ENOENT" && image?.kind === "dangling") {
    const reason = `its interpreter ${printable(image.missing)} does not exist or cannot be executed`;
    return refusal(command, reason, ExitStatus.notFound);
  }
  if (code === "ENOEXEC" && image?.kind === "foreign" && image.machine !== undefined) {
    const reason = `is for another processor (${image.machine}; this one is ${process.arch})`;
    return refusal(command, reason, ExitStatus.notExecutable);
  }
  return startError(command, code);
}

/** Makes an error of one line, `COMMAND: REASON`, as in every shell. */
function refusal(command: string, reason: string, status: number): SophiaError {
  const code = status === ExitStatus.notFound ? "not-found" : "not-executable";
  return new SophiaError({ code, message: `${shownCommand(command)}: ${reason}` }, status);
}

/** The text up to `=`, `://`, the colon of `user:password@`, or the space before an option. The rest may be secret. */
const END = /^(.*?(?:=|:\/\/|:(?=[^/@]*@)|\s(?=-))).+/s;

/** Shortens a command for messages and logs, since users mistype assignments and URLs with passwords as commands. */
export function shownCommand(command: string): string {
  return command === "" ? "''" : printable(command.replace(END, "$1…"));
}
