/**
 * Reads the first word of a command line without `--`, such as `sophia-run exec npm test`. The word is a program, since bun, Yarn 1
 * and PowerShell remove `--`. But a user who knows another tool may have meant a command of that tool.
 */
import type { Run } from "../../command-line/command-line.ts";
import { resolveSettings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { findHelper } from "../../launch/program/find-executable.ts";
import { OTHER_TOOL_COMMANDS } from "../parts/other-tools.ts";

/** If there is a program with the name of another tool's command, prints at a terminal how sophia-run does the same. */
export async function readFirstWord({ command: [word], flags }: Run, context: Context): Promise<void> {
  const advice = OTHER_TOOL_COMMANDS.get(word);
  if (advice === undefined) return;
  // If there is no such program, the error has the same advice.
  if (findHelper(word, context.environment) === undefined || !context.isTerminal(2)) return;
  if (resolveSettings(flags, context.environment).quiet) return;
  (await import("../../output/stderr.ts")).printLines(context, [`${word} starts as a program; ${advice}`]);
}
