/** `--project DIR`. A start loads this only if the user names a folder. */
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

/** Returns the context with the folder that the command line or the variable names. @throws SophiaError (settings, 125) */
export function inProject(invocation: Invocation, context: Context): Context {
  if (invocation.kind === "run") return withProject(invocation.flags, context);
  if (invocation.kind !== "subcommand" || !TAKERS.project.includes(invocation.name)) return context;
  // A hook decides itself what its failure does to the agent.
  if (invocation.name === "hook") return context;
  // The other options are examined by the subcommand.
  return withProject(parse(invocation.words, { project: OPTIONS.project }).values, context);
}

/** @throws SophiaError (settings, 125) if the folder does not exist */
export function withProject({ project: option }: Values, context: Context): Context {
  const variable = variableOf("project");
  const given = option ?? context.environment.get(variable) ?? "";
  if (given === "" && option === undefined) return context;
  const path = String(given);
  const folder = folderAt(path, context);
  const problem = problemOf(folder);
  if (path !== "" && problem === undefined) {
    // As the working directory of a start there: without links.
    const project = folder === WORKING_DIRECTORY_LINK ? folder : realPath(folder);
    return { ...context, project, projectOption: ` --project ${shellWord(project)}` };
  }
  const label = option === undefined ? variable : "--project";
  throw new SophiaError({
    code: "settings",
    message: `${label} names no folder: ${path === "" ? "it is empty" : `${printable(path)} ${problem}`}`,
    hint: "name the folder of the project: its path, absolute or from the working directory",
  });
}

/**
 * Returns the absolute path of a folder. The path of the working directory `WORKING_DIRECTORY_LINK` does not name the
 * folders above it.
 */
function folderAt(path: string, { cwd }: Context): string {
  if (cwd !== WORKING_DIRECTORY_LINK || isAbsolute(path)) return resolve(cwd, path);
  return path === "." ? cwd : within(cwd, path);
}

function problemOf(path: string): string | undefined {
  try {
    if (!statSync(path).isDirectory()) return "is a file";
    // A folder that may not be searched would look like one without a contract.
    statSync(`${path}/.`);
    // Node.js cannot name the folder, and another one may have what it decodes.
    const isLost = path !== WORKING_DIRECTORY_LINK && realPath(path).includes("\uFFFD");
    return isLost ? "has a path that is not UTF-8 (change to it, and start there)" : undefined;
  } catch (error) {
    const code = systemErrorCode(error) ?? "UNKNOWN";
    return code === "ENOENT" || code === "ENOTDIR" ? "does not exist" : `cannot be read (${code})`;
  }
}
