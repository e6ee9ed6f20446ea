/** What may stand at the end of a command line that is being typed; computed by yargs. */
import { COMMAND_NAMES } from "../cli.ts";
import { COMMANDS } from "../commands/index.ts";
import type { Context } from "../context.ts";
import { loadContract } from "../contract/load.ts";
import { describedParser, describeOption } from "../help.ts";
import { definition, OPTION_NAMES } from "../options.ts";

/**
 * Answers a completion script.
 *
 * @param words the command line up to the cursor, the program's name first; the last one is being typed
 * @returns one proposal on a line; for zsh and fish (told by the variable SHELL) with a description
 */
export async function complete(words: readonly string[], context: Context): Promise<string> {
  const typed = words.slice(1, -1);
  const current = words.at(-1) ?? "";
  // Behind `--` stands another program's command line: the shell completes it.
  if (typed.includes("--")) return "";
  const name = COMMAND_NAMES.find((command) => command === typed[0]);
  const parser = describedParser();
  let positionals: readonly string[] = [];
  if (name === undefined) {
    if (typed.length === 0)
      for (const [command, { describe }] of Object.entries(COMMANDS)) parser.command(command, describe);
  } else {
    const { positional, options = {} } = COMMANDS[name];
    for (const [option, shape] of Object.entries(options)) describeOption(parser, option, shape, shape.describe);
    if (positional?.kind === "variable") positionals = await declaredNames(context);
    else if (typeof positional?.kind === "object") positionals = positional.kind;
  }
  const proposals = await parser.getCompletion([...words]);
  const fitting = [...(current.startsWith("-") || takesValue(typed.at(-1)) ? [] : positionals), ...proposals].filter(
    (proposal) => proposal.startsWith(current) && !typed.includes(proposal),
  );
  return fitting.map((proposal) => `${proposal}\n`).join("");
}

/** Whether the word before the cursor is an option that waits for its value. */
function takesValue(word: string | undefined): boolean {
  const name = OPTION_NAMES.find((option) => word === `--${option}`);
  return name !== undefined && definition(name).type !== "boolean";
}

/** The names that the contract declares. Nothing is said while somebody types, so a broken contract has none. */
async function declaredNames({ cwd }: Context): Promise<readonly string[]> {
  try {
    return [...(await loadContract({ cwd })).variables.keys()];
  } catch {
    return [];
  }
}
