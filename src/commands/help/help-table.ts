/** Lays out what a help text lists. The executables have the texts of this module instead of it (scripts/build/help.mjs). */
import yargs, { type Argv } from "yargs";
import { COMMAND_NAMES, type CommandName } from "../../command-line/command-line.ts";
import { DESCRIBED_COMMON_OPTIONS, DESCRIPTIONS } from "../../command-line/descriptions.ts";
import { OPTION_NAMES, OPTIONS, variableOf, type OptionForm } from "../../command-line/options.ts";
import { namesFor, type Taker } from "../../command-line/takers.ts";
import type { CommandDefinition } from "../command.ts";
import { COMMANDS } from "../registry.ts";
import { COMMAND_GROUPS, GROUP_OF } from "./help-texts.ts";
import { isTopic, type Topic, type TopicName, TOPICS } from "./topics.ts";

/** The heading of yargs for options without a group. It is named first to be printed first. */
const OWN = "Options:";

/** The subject of a table; undefined for the program itself. */
type TableOf = CommandName | TopicName | undefined;

/**
 * Returns the options of a command or a topic, or the commands and the options of a start, in columns. Each is on one line.
 *
 * @param isFull all options, not only those that most users need, or the command's own
 */
export async function tableOf(of: TableOf, isFull: boolean): Promise<string> {
  // Without a name, which would precede each subcommand, and without a usage, of which yargs would make one.
  const parser = yargs([]).scriptName("").usage("").locale("en").wrap(null).help(false).version(false);
  if (of === undefined) describeStart(parser, isFull);
  else if (isTopic(of)) describeTopic(parser, TOPICS[of], isFull);
  else describeCommand(parser, of, isFull);
  for (const [option, form] of Object.entries(DESCRIBED_COMMON_OPTIONS)) {
    parser.option(option, { describe: form.describe, alias: form.short });
  }
  const options = (await parser.getHelp()).trim();
  return of === undefined ? `${listOfCommands()}\n\n${options}` : options;
}

/** Returns the commands below the names of their groups. */
function listOfCommands(): string {
  const width = Math.max(...COMMAND_NAMES.map(({ length }) => length));
  const lines = COMMAND_GROUPS.flatMap((group) => [
    `${group}:`,
    ...COMMAND_NAMES.filter((name) => GROUP_OF[name] === group).map(
      (name) => `  ${name.padEnd(width)}  ${COMMANDS[name].describe}`,
    ),
  ]);
  return lines.join("\n");
}

function describeTopic(parser: Argv, { options }: Topic, isFull: boolean): void {
  if (options === undefined) return describeStart(parser, isFull);
  for (const name of options)
    describeOption(parser, name, OPTIONS[name], `${DESCRIPTIONS[name].describe} [${variableOf(name)}]`);
}

function describeStart(parser: Argv, isFull: boolean): void {
  if (isFull) return describeGroups(parser, "run");
  for (const name of OPTION_NAMES) {
    const { brief } = DESCRIPTIONS[name];
    if (brief !== undefined) describeOption(parser, name, OPTIONS[name], brief);
  }
}

function describeCommand(parser: Argv, name: CommandName, isFull: boolean): void {
  const { options = {} }: CommandDefinition = COMMANDS[name];
  for (const [option, form] of Object.entries(options)) describeOption(parser, option, form, form.describe, OWN);
  if (isFull) describeGroups(parser, name);
}

function describeGroups(parser: Argv, taker: Taker): void {
  for (const name of namesFor(taker)) {
    const { group, describe } = DESCRIPTIONS[name];
    describeOption(parser, name, OPTIONS[name], `${describe} [${variableOf(name)}]`, `${group}:`);
  }
}

/** Adds an option to the parser. The name of its value becomes a part of the option's: yargs only shows types. */
function describeOption(
  parser: Argv,
  name: string,
  { short, value, choices, alone }: OptionForm,
  describe: string,
  group?: string,
): void {
  const behind = value === undefined ? "" : alone === undefined ? ` ${value}` : `[=${value}]`;
  const isListed = choices === undefined || choices.every((one) => describe.includes(one));
  parser.option(name + behind, {
    describe,
    ...(group === undefined ? {} : { group }),
    ...(short === undefined ? {} : { alias: short }),
    ...(isListed ? {} : { choices }),
  });
}
