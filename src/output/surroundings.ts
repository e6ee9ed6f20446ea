/**
 * Adapts the context of a command (its environment and outputs) to Windows and to GitHub's runner. The file is loaded only on these two.
 */
import type { Context } from "../core/context.ts";
import { windowsEnvironment } from "../core/names.ts";

/** Returns the context with an environment of Windows, and with outputs that GitHub's runner does not execute. */
export function adaptContext(originalContext: Context): Context {
  const { environment } = originalContext;
  const context =
    process.platform === "win32"
      ? { ...originalContext, environment: windowsEnvironment(environment) }
      : originalContext;
  return context.environment.get("GITHUB_ACTIONS") === "true" ? guardOutputsForRunner(context) : context;
}

/**
 * Returns the context with outputs that GitHub's runner does not execute.
 *
 * The runner reads the outputs of all steps. A label of a contract, such as `##[stop-commands]x`, would void the masks of a later
 * `export --format github` in the same step. Both streams are guarded as a whole, so that no message can be forgotten. Commands
 * that the runner should execute, and data for programs, are written by `Context.raw`.
 */
export function guardOutputsForRunner(context: Context): Context {
  return {
    ...context,
    out: (text) => context.out(disarmCommands(text)),
    err: (text) => {
      context.err(disarmCommands(text));
    },
    readLine: (question) => context.readLine(disarmCommands(question)),
    readHidden: (question) => context.readHidden(disarmCommands(question)),
  };
}

/** Matches the beginning of a command in the old form, `##[group]title`. The runner finds it anywhere in a line (actions/runner, ActionCommand.cs, `TryParse`). */
const OLD_COMMAND = /##\[/g;
/**
 * The new form of a command, `::group::title` (`TryParseV2`). It stands at the beginning of a line, after any white space. For .NET, in
 * which the runner is written, U+0085 is white space. A line also ends at CR. The beginning of a text may be the beginning of a line.
 */
const NEW_COMMAND = /(?<=^|[\r\n])((?:[^\S\r\n]|\u0085)*):(?=:)/g;

/** Inserts a space into each command, so that the runner does not execute it. */
export function disarmCommands(text: string): string {
  return text.replaceAll(OLD_COMMAND, "## [").replaceAll(NEW_COMMAND, "$1: ");
}
