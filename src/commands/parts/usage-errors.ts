/** Creates the errors for mistakes on the command line that several commands report, with hints. */
import { COMMAND_NAMES, HELP_WORD } from "../../command-line/command-line.ts";
import { findNearestName } from "../../core/suggest.ts";
import { SophiaError } from "../../core/error.ts";
import { OTHER_TOOL_COMMANDS } from "./other-tools.ts";

/**
 * Adds a hint to the error of a program that could not be started, if the user probably meant something else. The hint contains
 * neither a value from `word` nor any later argument, because these may contain a secret.
 *
 * @param word the first word of the command line
 * @param mayBeSubcommand true if there was no `--` before the word, so that it may be a misspelled command of sophia-run
 */
export function addStartHint(error: SophiaError, word: string, mayBeSubcommand: boolean): SophiaError {
  const hint = findStartHint(word, mayBeSubcommand);
  const { code, message, status } = error;
  return hint === undefined ? error : new SophiaError({ code, message, hint }, status);
}

function findStartHint(word: string, mayBeSubcommand: boolean): string | undefined {
  const isWindows = process.platform === "win32";
  // An assignment before the command, as in a shell: `sophia-run -- NAME=value COMMAND`.
  const [, variable] = /^([A-Za-z_]\w*)=/.exec(word) ?? [];
  if (variable !== undefined) {
    return isWindows
      ? `sophia-run takes no assignments; set ${variable} in the environment`
      : `sophia-run takes no assignments; use env: sophia-run -- env ${variable}=… COMMAND`;
  }
  // A whole command in quotes: `sophia-run -- "npm test"`.
  if (/\S\s+\S/.test(word)) {
    const shell = isWindows ? "cmd /c" : "sh -c";
    return `it is a single word with spaces; a shell splits it: sophia-run -- ${shell} "…"`;
  }
  if (!mayBeSubcommand) return undefined;
  const otherToolHint = OTHER_TOOL_COMMANDS.get(word);
  if (otherToolHint !== undefined) return otherToolHint;
  const suggestion = findNearestName(word, [...COMMAND_NAMES, HELP_WORD]);
  return suggestion === undefined ? undefined : `did you mean ${suggestion}?`;
}

/** Returns the error (usage, 125) for an invalid command line. */
export function usageError(message: string, hint?: string): SophiaError {
  return new SophiaError({ code: "usage", message, ...(hint === undefined ? {} : { hint }) });
}

/** Returns the error (usage, 125) for two options that cannot be used together. */
export function conflictError(firstOption: string, secondOption: string): SophiaError {
  return usageError(`${firstOption} and ${secondOption} cannot be used together`, "leave one of them out");
}
