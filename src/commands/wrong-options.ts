/** Messages for invalid options, loaded only for them. */
import { COMMAND_NAMES, type CommandName, type Mistake } from "../command-line/command-line.ts";
import { COMMON_OPTIONS, OPTION_NAMES, OPTIONS, type OptionForm } from "../command-line/options.ts";
import type { Problem } from "../command-line/parse.ts";
import { TAKERS, type Taker } from "../command-line/takers.ts";
import { suggest } from "../core/suggest.ts";
import type { SophiaError } from "../core/error.ts";
import { enumerate, printable } from "../core/text.ts";
import { usageError } from "./parts/mistakes.ts";
import { OTHER_OPTIONS, OTHER_WORDS, START } from "./parts/other-tools.ts";
import { COMMANDS } from "./registry.ts";

/** Makes the error (usage, 125) for an invalid command line. */
export function mistakeError(mistake: Mistake): SophiaError {
  switch (mistake.kind) {
    case "option":
      return optionError(mistake.problem, { ...OPTIONS, ...COMMON_OPTIONS });
    case "node-option":
      if (mistake.of === "command" && OTHER_WORDS.get(mistake.command) === START) {
        return usageError(
          `there is no ${mistake.command} here, and --env-file is called --dotenv`,
          "sophia-run --dotenv FILE -- COMMAND",
        );
      }
      return mistake.of === "sophia-run"
        ? usageError("--env-file is an option of Node.js; the option here is --dotenv")
        : usageError(
            "-- is missing before the command (Node.js itself has read the command's --env-file)",
            "sophia-run [options] -- node …",
          );
    case "no-command":
      return usageError(
        mistake.hasDashes ? "no command after --" : "no command to run",
        "for example: sophia-run -- node app.js; sophia-run --help shows more",
      );
  }
}

/** Returns the error for an invalid option. @param options the valid ones @param command undefined for a start */
export function optionError(
  problem: Problem,
  options: Readonly<Record<string, OptionForm>>,
  command?: CommandName,
): SophiaError {
  const help = `sophia-run ${command === undefined ? "" : `${command} `}--help lists the options`;
  switch (problem.kind) {
    case "unknown": {
      const of = command === undefined ? "" : ` of ${command}`;
      const message = `unknown option ${printable(problem.shown)}${of}`;
      // Before the commands that have such an option: it is meant as another tool has it.
      const meant = OTHER_OPTIONS.get(problem.shown);
      if (meant !== undefined) return usageError(message, meant);
      const others = takersOf(problem.shown);
      if (others !== undefined) {
        const what = command === undefined ? "not for starting a program" : `not for ${command}`;
        return usageError(`option ${problem.shown} is ${what}`, `it is for ${others}`);
      }
      const near = nearest(problem.shown.replace(/^-+/, ""), Object.keys(options));
      return usageError(message, near === undefined ? help : `did you mean --${near}? ${help}`);
    }
    case "takes-no-value":
      return usageError(`option --${problem.name} takes no value`, help);
    case "needs-value":
      return usageError(`option --${problem.name} needs a value`, help);
  }
}

function takersOf(shown: string): string | undefined {
  const letter = /^-(\w)$/.exec(shown)?.[1];
  const isMeant = (name: string, { short }: OptionForm): boolean =>
    letter === undefined ? shown === `--${name}` : short === letter;
  const shared = OPTION_NAMES.find((name) => isMeant(name, OPTIONS[name]));
  const takers: readonly Taker[] = [
    ...(shared === undefined ? [] : TAKERS[shared]),
    ...COMMAND_NAMES.filter((name) => Object.entries(COMMANDS[name].options ?? {}).some((one) => isMeant(...one))),
  ];
  if (takers.length === 0) return undefined;
  const words = Array.from(new Set(takers), (taker) => (taker === "run" ? "starting a program" : taker));
  return enumerate(words);
}

/** Returns the option nearest to a mistyped one, or one that begins alike, contains it, or is contained in it. */
function nearest(typed: string, names: readonly string[]): string | undefined {
  if (typed.length < 3) return undefined;
  return (
    suggest(typed, names) ??
    names.find((name) => name.startsWith(typed.slice(0, 4)) || name.includes(typed) || typed.includes(name))
  );
}
