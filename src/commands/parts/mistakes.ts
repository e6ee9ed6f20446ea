/** Messages for invalid command lines, loaded only for them. */
import { COMMAND_NAMES, HELP_WORD } from "../../command-line/command-line.ts";
import { suggest } from "../../core/suggest.ts";
import { SophiaError } from "../../core/error.ts";
import { OTHER_WORDS } from "./other-tools.ts";

/** Adds a hint for an unknown command. Prints neither a value in the word nor later words, which may contain a secret. */
export function withHint(error: SophiaError, word: string, isSubcommand: boolean): SophiaError {
  const hint = hintFor(word, isSubcommand);
  const { code, message, status } = error;
  return hint === undefined ? error : new SophiaError({ code, message, hint }, status);
}

function hintFor(word: string, isSubcommand: boolean): string | undefined {
  const isWindows = process.platform === "win32";
  const [, variable] = /^([A-Za-z_]\w*)=/.exec(word) ?? [];
  if (variable !== undefined) {
    return isWindows
      ? `sophia-run takes no assignments; set ${variable} in the environment`
      : `sophia-run takes no assignments; use env: sophia-run -- env ${variable}=… COMMAND`;
  }
  if (/\S\s+\S/.test(word)) {
    const shell = isWindows ? "cmd /c" : "sh -c";
    return `it is a single word with spaces; a shell splits it: sophia-run -- ${shell} "…"`;
  }
  if (!isSubcommand) return undefined;
  const meant = suggest(word, [...COMMAND_NAMES, HELP_WORD]);
  return OTHER_WORDS.get(word) ?? (meant === undefined ? undefined : `did you mean ${meant}?`);
}

export function usageError(message: string, hint?: string): SophiaError {
  return new SophiaError({ code: "usage", message, ...(hint === undefined ? {} : { hint }) });
}

/** Makes the error (usage, 125) for two options that cannot be used together. */
export function conflict(one: string, other: string): SophiaError {
  return usageError(`${one} and ${other} cannot be used together`, "leave one of them out");
}
