/**
 * The errors (usage, 125) for a command line that cannot be run: an unknown or misused option, or no command to start.
 * `dispatch` loads this file only after the parser has found such a mistake.
 */
import { COMMAND_NAMES, type CommandName, type Mistake } from "../command-line/command-line.ts";
import { COMMON_OPTIONS, OPTION_NAMES, OPTIONS, type OptionForm } from "../command-line/options.ts";
import type { Problem } from "../command-line/parse.ts";
import { TAKERS, type Taker } from "../command-line/takers.ts";
import { findNearestName } from "../core/suggest.ts";
import type { SophiaError } from "../core/error.ts";
import { enumerate, printable } from "../core/text.ts";
import { usageError } from "./parts/usage-errors.ts";
import { OTHER_TOOL_COMMANDS, OTHER_TOOL_OPTIONS, START_HINT } from "./parts/other-tools.ts";
import { COMMANDS } from "./registry.ts";

/** Below this length a mistyped option resembles too many options, so that no suggestion is better than a guess. */
const MIN_SUGGESTION_LENGTH = 3;
/** An option that begins with the same four letters as the typed one is probably meant: `--envfile`, `--environment`. */
const COMMON_PREFIX_LENGTH = 4;

/** Returns the error for a command line that neither starts a program nor names a command of sophia-run. */
export function commandLineError(mistake: Mistake): SophiaError {
  switch (mistake.kind) {
    case "option":
      return optionError(mistake.problem, { ...OPTIONS, ...COMMON_OPTIONS });
    case "node-option":
      return nodeOptionError(mistake);
    case "no-command":
      return usageError(
        mistake.hasDashes ? "no command after --" : "no command to run",
        "for example: sophia-run -- node app.js; sophia-run --help shows more",
      );
  }
}

/** Returns the error for an `--env-file`, which Node.js has already read before sophia-run sees the command line. */
function nodeOptionError(mistake: Extract<Mistake, { readonly kind: "node-option" }>): SophiaError {
  if (mistake.of === "sophia-run") {
    return usageError("--env-file is an option of Node.js; the option here is --dotenv");
  }
  // `sophia-run run --env-file FILE`: "run" starts a program in other tools.
  if (OTHER_TOOL_COMMANDS.get(mistake.command) === START_HINT) {
    return usageError(
      `there is no ${mistake.command} here, and --env-file is called --dotenv`,
      "sophia-run --dotenv FILE -- COMMAND",
    );
  }
  return usageError(
    "-- is missing before the command (Node.js itself has read the command's --env-file)",
    "sophia-run [options] -- node …",
  );
}

/**
 * Returns the error for an invalid option.
 *
 * @param validOptions the options that are allowed on this command line
 * @param command the command of sophia-run; undefined for the start of a program
 */
export function optionError(
  problem: Problem,
  validOptions: Readonly<Record<string, OptionForm>>,
  command?: CommandName,
): SophiaError {
  const helpCommand = command === undefined ? "sophia-run --help" : `sophia-run ${command} --help`;
  const hint = `${helpCommand} lists the options`;
  switch (problem.kind) {
    case "unknown":
      return unknownOptionError(problem.shown, Object.keys(validOptions), command, hint);
    case "takes-no-value":
      return usageError(`option --${problem.name} takes no value`, hint);
    case "needs-value":
      return usageError(`option --${problem.name} needs a value`, hint);
  }
}

/** @param typed the option as the user typed it, such as `--dot-env` or `-x` @param helpHint where the options are listed */
function unknownOptionError(
  typed: string,
  validNames: readonly string[],
  command: CommandName | undefined,
  helpHint: string,
): SophiaError {
  const ofCommand = command === undefined ? "" : ` of ${command}`;
  const message = `unknown option ${printable(typed)}${ofCommand}`;
  // Other tools come first. A user who types `--env` here means the option of another tool, even if some command of
  // sophia-run has an option with this name.
  const otherToolHint = OTHER_TOOL_OPTIONS.get(typed);
  if (otherToolHint !== undefined) return usageError(message, otherToolHint);
  const takers = describeTakers(typed);
  if (takers !== undefined) {
    const purpose = command ?? "starting a program";
    return usageError(`option ${typed} is not for ${purpose}`, `it is for ${takers}`);
  }
  const suggestion = findSimilarName(typed.replace(/^-+/, ""), validNames);
  return usageError(message, suggestion === undefined ? helpHint : `did you mean --${suggestion}? ${helpHint}`);
}

/** Returns the commands that have an option, such as `get and export`; undefined if none has it. */
function describeTakers(typed: string): string | undefined {
  const letter = /^-(\w)$/.exec(typed)?.[1];
  const isTyped = (name: string, { short }: OptionForm): boolean =>
    letter === undefined ? typed === `--${name}` : short === letter;
  const sharedOption = OPTION_NAMES.find((name) => isTyped(name, OPTIONS[name]));
  const takers: readonly Taker[] = [
    ...(sharedOption === undefined ? [] : TAKERS[sharedOption]),
    ...COMMAND_NAMES.filter((command) =>
      Object.entries(COMMANDS[command].options ?? {}).some(([name, form]) => isTyped(name, form)),
    ),
  ];
  if (takers.length === 0) return undefined;
  return enumerate(Array.from(new Set(takers), (taker) => (taker === "run" ? "starting a program" : taker)));
}

/**
 * Returns the option name that the user probably meant: one within a few typing mistakes, or else the first one that
 * begins alike, contains the typed text or is contained in it.
 *
 * @param typed without its dashes
 */
function findSimilarName(typed: string, names: readonly string[]): string | undefined {
  if (typed.length < MIN_SUGGESTION_LENGTH) return undefined;
  const prefix = typed.slice(0, COMMON_PREFIX_LENGTH);
  return (
    findNearestName(typed, names) ??
    names.find((name) => name.startsWith(prefix) || name.includes(typed) || typed.includes(name))
  );
}
