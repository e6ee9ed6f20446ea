/** Finds the file of a command by the rules of Windows. On other systems, launch/program/find-executable.ts does this. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { win32 } from "node:path";
import type { Environment } from "../../core/model.ts";
import { FoldedMap } from "../../core/names.ts";
import { codeOrThrow, NOT_ON_PATH } from "../../system/errors.ts";
import { startError } from "../program/start-error.ts";

/** The endings that are tried if `PATHEXT` is not set. */
const DEFAULT_ENDINGS = ".COM;.EXE;.BAT;.CMD";
/** The endings of files that can always be started. */
const EXECUTABLE_ENDINGS: ReadonlySet<string> = new Set([".com", ".exe", ".bat", ".cmd"]);

/** Returns the file of a command. @throws SophiaError 127 if there is none, 126 if Windows does not execute it */
export function fileOnWindows(command: string, environment: Environment): string {
  const result = findOnWindows(command, environment);
  if ("file" in result) return result.file;
  throw startError(command, result.problem);
}

/**
 * Finds a command's file. A command with a slash, backslash or colon is a path. Any other command is looked up in the folders of
 * `Path`, with each ending of `PATHEXT`, and at last without an ending, if the file begins with `#!`. Unlike Windows, it does not
 * search the working directory, where a file of a repository could hide a program of the system.
 *
 * @param findProblem returns the error code with which a start of the file would fail; undefined if no problem is known
 */
export function findOnWindows(
  command: string,
  environment: Environment,
  findProblem: (path: string, endings: readonly string[]) => string | undefined = examine,
): { readonly file: string } | { readonly problem: string } {
  if (command === "") return { problem: NOT_ON_PATH };
  const variables = new FoldedMap(environment);
  const endings = (variables.get("PATHEXT") || DEFAULT_ENDINGS).split(";").filter((ending) => ending.startsWith("."));
  // A command with a dot may have its ending already.
  const namesWithEnding = [...(command.includes(".") ? [command] : []), ...endings.map((ending) => command + ending)];
  const isPath = /[\\/:]/.test(command);
  const folders = isPath ? [""] : listSearchFolders(variables.get("PATH") ?? "");
  let problem: string | undefined;
  // All folders are searched for a name with an ending before any is searched for the bare command.
  for (const candidates of [namesWithEnding, [command]]) {
    for (const folder of folders) {
      for (const name of candidates) {
        const file = folder === "" ? name : win32.join(folder, name);
        const problemOfFile = findProblem(file, endings);
        if (problemOfFile === undefined) return { file: win32.resolve(file) };
        // The problem of a file that exists helps the user more than the fact that another file is missing.
        if (problemOfFile !== "ENOENT") problem ??= problemOfFile;
      }
    }
  }
  return { problem: problem ?? (isPath ? "ENOENT" : NOT_ON_PATH) };
}

/** Splits a `Path` such as `C:\Windows;"C:\a;b"`, in which quotes protect a semicolon in a folder's name. */
function listSearchFolders(path: string): readonly string[] {
  const folders = path.match(/(?:"[^"]*"|[^;"])+/g) ?? [];
  return folders.map((folder) => folder.replaceAll('"', "").trim()).filter((folder) => folder !== "");
}

/** Returns the error code for a file that Windows would not execute; undefined if no problem is known. */
function examine(path: string, endings: readonly string[]): string | undefined {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return "EISDIR";
    const ending = win32.extname(path).toLowerCase();
    const isKnown = EXECUTABLE_ENDINGS.has(ending) || endings.some((known) => known.toLowerCase() === ending);
    return isKnown || hasInterpreter(path) ? undefined : "ENOEXEC";
  } catch (error) {
    const code = codeOrThrow(error);
    return code === "ENOTDIR" ? "ENOENT" : code;
  }
}

/** Returns true if the file begins with `#!`. cross-spawn starts its interpreter then. */
export function hasInterpreter(path: string): boolean {
  const descriptor = openSync(path, "r");
  try {
    const head = Buffer.alloc(2);
    return readSync(descriptor, head, 0, 2, 0) === 2 && head.toString("latin1") === "#!";
  } finally {
    closeSync(descriptor);
  }
}
