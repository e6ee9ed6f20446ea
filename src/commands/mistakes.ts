/** Command lines that ask for nothing that can be done, in words. Loaded only for them. */
import { COMMAND_NAMES, HELP_WORD } from "../command-line/command-line.ts";
import { suggest } from "../core/suggest.ts";
import { SophiaError } from "../core/error.ts";

/**
 * The error of a command that was not found, with the subcommand that may have been meant. The words behind it are not
 * told: they may hold a secret.
 */
export function perhapsSubcommand(error: SophiaError, word: string): SophiaError {
  const { code, message } = error;
  // env(1) takes assignments.
  const [, variable] = /^([A-Za-z_]\w*)=/.exec(word) ?? [];
  if (variable !== undefined) {
    const hint = `sophia-run takes no assignments: set ${variable} in the environment`;
    return new SophiaError({ code, message, hint }, error.status);
  }
  const meant = word === "version" ? "--version" : suggest(word, [...COMMAND_NAMES, HELP_WORD]);
  if (meant === undefined) return error;
  return new SophiaError({ code, message, hint: `did you mean ${meant}?` }, error.status);
}

/** The error of a command line that cannot be used. */
export function usageError(message: string, hint?: string): SophiaError {
  return new SophiaError({ code: "usage", message, ...(hint === undefined ? {} : { hint }) });
}
