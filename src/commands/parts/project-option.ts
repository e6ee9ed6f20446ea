/**
 * Applies `--project DIR` and `SOPHIA_PROJECT`, by which the user names the folder of the project. The contract and `.env` files
 * are then searched from that folder rather than from the working directory. `main` loads this file only if the user names a
 * folder.
 */
import { statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import type { Invocation } from "../../command-line/command-line.ts";
import { OPTIONS, variableOf, type Values } from "../../command-line/options.ts";
import { TAKERS } from "../../command-line/takers.ts";
import { parse } from "../../command-line/parse.ts";
import type { Context } from "../../core/context.ts";
import { SophiaError } from "../../core/error.ts";
import { shellWord } from "../../core/shell.ts";
import { printable } from "../../core/text.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { WORKING_DIRECTORY_LINK, within } from "../../system/paths.ts";
import { realPath } from "../../system/real-path.ts";

/**
 * Returns the context with the project's folder that the command line or the variable names, if the command has the option.
 *
 * @throws SophiaError (settings, 125) if the folder does not exist
 */
export function applyProjectOption(invocation: Invocation, context: Context): Context {
  if (invocation.kind === "run") return applyProjectFolder(invocation.flags, context);
  if (invocation.kind !== "subcommand" || !TAKERS.project.includes(invocation.name)) return context;
  // `hook` applies the option itself, because the exit status of a failure decides what the agent does next.
  if (invocation.name === "hook") return context;
  // This ignores mistakes in other options, since `dispatch` reports them.
  return applyProjectFolder(parse(invocation.words, { project: OPTIONS.project }).values, context);
}

/**
 * Returns the context with the project's folder that the option or the variable names; the same context if neither names one. An
 * empty variable counts as unset, but an empty option is an error.
 *
 * @throws SophiaError (settings, 125) if the folder does not exist
 */
export function applyProjectFolder({ project: option }: Values, context: Context): Context {
  const variable = variableOf("project");
  const path = String(option ?? context.environment.get(variable) ?? "");
  if (path === "" && option === undefined) return context;
  const folder = resolveFolder(path, context);
  const fault = findFolderFault(folder);
  if (path === "" || fault !== undefined) {
    const label = option === undefined ? variable : "--project";
    const reason = path === "" ? "it is empty" : `${printable(path)} ${fault}`;
    throw new SophiaError({
      code: "settings",
      message: `${label} names no folder: ${reason}`,
      hint: "name the folder of the project: its path, absolute or from the working directory",
    });
  }
  // The path has no symbolic links, like the working directory if the user starts sophia-run in the folder.
  const project = folder === WORKING_DIRECTORY_LINK ? folder : realPath(folder);
  return { ...context, project, projectOption: ` --project ${shellWord(project)}` };
}

/**
 * Returns the absolute path of a folder. If the working directory was deleted, or if its path is not UTF-8, `cwd` is a symbolic
 * link in /proc (`WORKING_DIRECTORY_LINK`). `resolve` would then turn `..` into the folder of that link, so the paths are joined
 * instead.
 */
function resolveFolder(path: string, { cwd }: Context): string {
  if (cwd !== WORKING_DIRECTORY_LINK || isAbsolute(path)) return resolve(cwd, path);
  return path === "." ? cwd : within(cwd, path);
}

/** Returns why a path cannot be the folder of a project, as a phrase that follows the path; undefined if it can be. */
function findFolderFault(path: string): string | undefined {
  try {
    if (!statSync(path).isDirectory()) return "is a file";
    // This fails if the user has no search permission for the folder, in which no contract could be found then.
    statSync(`${path}/.`);
    // Node.js replaces bytes that are not UTF-8 by U+FFFD, and the resulting path would lead to another folder, or to none.
    const isUndecodable = path !== WORKING_DIRECTORY_LINK && realPath(path).includes("\uFFFD");
    return isUndecodable ? "has a path that is not UTF-8 (change to it, and start there)" : undefined;
  } catch (error) {
    const code = systemErrorCode(error) ?? "UNKNOWN";
    return code === "ENOENT" || code === "ENOTDIR" ? "does not exist" : `cannot be read (${code})`;
  }
}
