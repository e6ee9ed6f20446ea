/**
 * The first word of a start without `--`, which bun, Yarn 1 and PowerShell remove. A program that is called like a verb of
 * another tool is started, but a user at a terminal may have meant that verb. Loaded only without `--`.
 */
import type { Run } from "../../command-line/command-line.ts";
import { resolveSettings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { findHelper } from "../../launch/program/find-executable.ts";
import { OTHER_TOOL_COMMANDS } from "../parts/other-tools.ts";

/** Prints at a terminal which command may be meant. */
export async function readFirstWord({ command: [word], flags }: Run, context: Context): Promise<void> {
  const meant = OTHER_TOOL_COMMANDS.get(word);
  if (meant === undefined) return;
  // Without the program the error says the same.
  if (findHelper(word, context.environment) === undefined || !context.isTerminal(2)) return;
  if (resolveSettings(flags, context.environment).quiet) return;
  (await import("../../output/stderr.ts")).printLines(context, [`${word} starts as a program; ${meant}`]);
}
