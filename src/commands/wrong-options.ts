/** Options and command lines that cannot be used, in words. Loaded only for them. */
import { COMMAND_NAMES, type CommandName, type Mistake } from "../command-line/command-line.ts";
import { COMMON_OPTIONS, OPTION_NAMES, OPTIONS, type OptionForm } from "../command-line/options.ts";
import type { Problem } from "../command-line/parse.ts";
import { TAKERS, type Taker } from "../command-line/takers.ts";
import { suggest } from "../core/suggest.ts";
import type { SophiaError } from "../core/error.ts";
import { enumerate, printable } from "../core/text.ts";
import { usageError } from "./mistakes.ts";
import { COMMANDS } from "./registry.ts";

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
      const others = takersOf(problem.shown);
      if (others !== undefined) {
        const what = command === undefined ? "not for starting a program" : `not for ${command}`;
        return usageError(`option ${problem.shown} is ${what}`, `it is for ${others}`);
      }
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

/** The commands that have an option, where any has it. */
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

/** The option that a mistyped one is nearest to, or that shares its start or contains it. */
function nearest(typed: string, names: readonly string[]): string | undefined {
  if (typed.length < 3) return undefined;
  return (
    suggest(typed, names) ??
    names.find((name) => name.startsWith(typed.slice(0, 4)) || name.includes(typed) || typed.includes(name))
  );
}
