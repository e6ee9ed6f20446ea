/** Invalid command lines in words. Loaded only for them. */
import { COMMAND_NAMES, HELP_WORD } from "../command-line/command-line.ts";
import { suggest } from "../core/suggest.ts";
import { SophiaError } from "../core/error.ts";

/**
 * Adds what the user may have meant to the error of a command that was not found. Neither a value of it nor the words behind
 * it are printed: they may hold a secret.
 *
 * @param isSubcommand the word may be a mistyped subcommand
 */
export function withMeaning(error: SophiaError, word: string, isSubcommand: boolean): SophiaError {
  const hint = meaningOf(word, isSubcommand);
  const { code, message, status } = error;
  return hint === undefined ? error : new SophiaError({ code, message, hint }, status);
}

function meaningOf(word: string, isSubcommand: boolean): string | undefined {
  const isWindows = process.platform === "win32";
  const [, variable] = /^([A-Za-z_]\w*)=/.exec(word) ?? [];
  if (variable !== undefined) {
    return isWindows
      ? `sophia-run takes no assignments: set ${variable} in the environment`
      : `sophia-run takes no assignments, env does: sophia-run -- env ${variable}=… COMMAND`;
  }
  if (/\S\s+\S/.test(word)) {
    const shell = isWindows ? "cmd /c" : "sh -c";
    return `it is one word with spaces; a shell takes it apart: sophia-run -- ${shell} "…"`;
  }
  if (!isSubcommand) return undefined;
  const meant = word === "version" ? "--version" : suggest(word, [...COMMAND_NAMES, HELP_WORD]);
  return meant === undefined ? undefined : `did you mean ${meant}?`;
}

export function usageError(message: string, hint?: string): SophiaError {
  return new SophiaError({ code: "usage", message, ...(hint === undefined ? {} : { hint }) });
}
