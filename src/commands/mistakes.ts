/** Command lines that ask for nothing that can be done, in words. Loaded only for them. */
import { COMMAND_NAMES, type CommandName, type Mistake } from "../command-line/command-line.ts";
import { COMMON_OPTIONS, OPTIONS, type OptionForm } from "../command-line/options.ts";
import type { Problem } from "../command-line/parse.ts";
import { suggest } from "../core/suggest.ts";
import { SophiaError } from "../core/error.ts";
import { printable } from "../core/text.ts";

/** The error (usage, 125) for a mistake. */
export function mistakeError(mistake: Mistake): SophiaError {
  switch (mistake.kind) {
    case "option":
      return optionError(mistake.problem, { ...OPTIONS, ...COMMON_OPTIONS });
    case "node-option":
      return mistake.of === "sophia-run"
        ? usageError("--env-file is now --dotenv, since Node.js reads the old name itself")
        : usageError(
            "-- is missing: Node.js itself has read the command's --env-file",
            "write it in front of the command: sophia-run [options] -- node …",
          );
    case "no-command":
      return usageError(
        mistake.hasDashes ? "no command after --" : "no command to run",
        "for example: sophia-run -- node app.js; sophia-run --help shows more",
      );
  }
}

/**
 * The error of a command that was not found, with what may have been meant. Neither a value of it nor the words behind it
 * are shown: they may hold a secret.
 *
 * @param isSubcommand whether the word may be a mistyped subcommand
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
  const meant = word === "help" || word === "version" ? `--${word}` : suggest(word, COMMAND_NAMES);
  return meant === undefined ? undefined : `did you mean ${meant}?`;
}

/**
 * The error (usage, 125) for an option that cannot be used.
 *
 * @param options those that may be meant
 * @param command the subcommand whose options they are
 */
export function optionError(
  problem: Problem,
  options: Readonly<Record<string, OptionForm>>,
  command?: CommandName,
): SophiaError {
  const help = `sophia-run ${command === undefined ? "" : `${command} `}--help lists the options`;
  switch (problem.kind) {
    case "unknown": {
      const near = nearest(problem.shown.replace(/^-+/, ""), Object.keys(options));
      const of = command === undefined ? "" : ` of ${command}`;
      return usageError(
        `unknown option ${printable(problem.shown)}${of}`,
        near === undefined ? help : `did you mean --${near}? ${help}`,
      );
    }
    case "takes-no-value":
      return usageError(`option --${problem.name} takes no value`, help);
    case "needs-value":
      return usageError(`option --${problem.name} needs a value`, help);
  }
}

export function usageError(message: string, hint?: string): SophiaError {
  return new SophiaError({ code: "usage", message, ...(hint === undefined ? {} : { hint }) });
}

/** The option that a mistyped one is nearest to, or that shares its start or contains it. */
function nearest(typed: string, names: readonly string[]): string | undefined {
  if (typed.length < 3) return undefined;
  return (
    suggest(typed, names) ??
    names.find((name) => name.startsWith(typed.slice(0, 4)) || name.includes(typed) || typed.includes(name))
  );
}
