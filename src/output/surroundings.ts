/** Adapts a context to what few starts have: Windows, and GitHub's runner. */
import type { Context } from "../core/context.ts";
import { windowsEnvironment } from "../core/names.ts";

export function adapt(given: Context): Context {
  const { environment } = given;
  const context = process.platform === "win32" ? { ...given, environment: windowsEnvironment(environment) } : given;
  return context.environment.get("GITHUB_ACTIONS") === "true" ? forRunner(context) : context;
}

/**
 * Returns the context with texts that GitHub's runner does not execute. It reads the outputs of all steps: a label of a contract,
 * `##[stop-commands]x`, would void the masks of a later `export --format github` in the same step. Standard output and
 * standard error are guarded as a whole, so that no message can be forgotten. Commands that are meant, and data for programs,
 * go through `Context.raw`.
 */
export function forRunner(context: Context): Context {
  return {
    ...context,
    out: (text) => context.out(withoutCommands(text)),
    err: (text) => {
      context.err(withoutCommands(text));
    },
    readLine: (question) => context.readLine(withoutCommands(question)),
    readHidden: (question) => context.readHidden(withoutCommands(question)),
  };
}

/** The old form of a command: the runner finds it anywhere in a line (actions/runner, ActionCommand.cs, `TryParse`). */
const ANYWHERE = /##\[/g;
/**
 * The new form: at the beginning of a line behind white space of .NET, which has U+0085 (`TryParseV2`). A line also ends at
 * CR. The beginning of a text may be that of a line.
 */
const AT_START = /(?<=^|[\r\n])((?:[^\S\r\n]|\u0085)*):(?=:)/g;

/** Breaks up what the runner would execute. */
export function withoutCommands(text: string): string {
  return text.replaceAll(ANYWHERE, "## [").replaceAll(AT_START, "$1: ");
}
