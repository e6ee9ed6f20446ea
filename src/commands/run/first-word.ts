/**
 * Advises a user who knows another tool, and writes a command of that tool: `sophia-run exec npm test`. In a command line without
 * `--`, the first word is the program (here `exec`), because bun, Yarn 1 and PowerShell remove `--`. run.ts loads this file only
 * without `--`.
 */
import type { Run } from "../../command-line/command-line.ts";
import { resolveSettings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { findHelper } from "../../launch/program/find-executable.ts";
import { OTHER_TOOL_COMMANDS } from "../parts/other-tools.ts";

/** Prints, at a terminal, how sophia-run does the same as the other tool's command, if a program has the name of that command. */
export async function adviseOnFirstWord({ command: [word], flags }: Run, context: Context): Promise<void> {
  const advice = OTHER_TOOL_COMMANDS.get(word);
  if (advice === undefined) return;
  // If there is no such program, the error has the same advice.
  if (findHelper(word, context.environment) === undefined || !context.isTerminal(2)) return;
  if (resolveSettings(flags, context.environment).quiet) return;
  (await import("../../output/stderr.ts")).printLines(context, [`${word} starts as a program; ${advice}`]);
}
