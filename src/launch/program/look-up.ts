import { accessSync, constants, statSync } from "node:fs";
import type { Environment } from "../../core/model.ts";
import { isExecutable, isMissing } from "../../system/addon/addon.ts";
import { codeOrThrow } from "../../system/errors.ts";

/** The search path of execvp(3) without `PATH`. */
const DEFAULT_PATH = "/bin:/usr/bin";
const MAX_NAME_BYTES = 255; // NAME_MAX

/** The error code for a command in no folder of the search path. */
export const NOT_ON_PATH = "NOT_ON_PATH";

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
