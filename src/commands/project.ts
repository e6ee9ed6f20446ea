/** `--project DIR`. A start loads this only if the user names a folder. */
import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Invocation } from "../command-line/command-line.ts";
import { OPTIONS, variableOf, type Values } from "../command-line/options.ts";
import { TAKERS } from "../command-line/takers.ts";
import { parse } from "../command-line/parse.ts";
import type { Context } from "../core/context.ts";
import { SophiaError } from "../core/error.ts";
import { shellWord } from "../core/shell.ts";
import { printable } from "../core/text.ts";
import { systemErrorCode } from "../system/errors.ts";

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
  const problem = problemOf(resolve(context.cwd, path));
  if (path !== "" && problem === undefined) {
    // As the working directory of a start there: without links.
    const project = realpathSync(resolve(context.cwd, path));
    return { ...context, project, projectOption: ` --project ${shellWord(project)}` };
  }
  const label = option === undefined ? variable : "--project";
  throw new SophiaError({
    code: "settings",
    message: `${label} names no folder: ${path === "" ? "it is empty" : `${printable(path)} ${problem}`}`,
    hint: "name the folder of the project: its path, absolute or from the working directory",
  });
}

function problemOf(path: string): string | undefined {
  try {
    if (!statSync(path).isDirectory()) return "is a file";
    // A folder that may not be searched would look like one without a contract.
    statSync(`${path}/.`);
    return undefined;
  } catch (error) {
    const code = systemErrorCode(error) ?? "UNKNOWN";
    return code === "ENOENT" || code === "ENOTDIR" ? "does not exist" : `cannot be read (${code})`;
  }
}
