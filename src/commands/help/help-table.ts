/**
 * Makes the tables of the help: options and commands with their descriptions, in columns. The library yargs does the
 * layout. It would be too large for the executables of sophia-run, so these contain the finished tables instead
 * (scripts/build/help.mjs).
 */
import yargs, { type Argv } from "yargs";
import { COMMAND_NAMES, type CommandName } from "../../command-line/command-line.ts";
import { DESCRIBED_COMMON_OPTIONS, DESCRIPTIONS } from "../../command-line/descriptions.ts";
import { OPTION_NAMES, OPTIONS, variableOf, type OptionForm, type OptionName } from "../../command-line/options.ts";
import { namesFor, type Taker } from "../../command-line/takers.ts";
import type { CommandDefinition } from "../command.ts";
import { COMMANDS } from "../registry.ts";
import { COMMAND_GROUPS, COMMAND_GROUP_BY_NAME } from "./help-texts.ts";
import { isTopic, type Topic, type TopicName, TOPICS } from "./topics.ts";

/**
 * The heading that yargs gives to options without a group. A command's own options name it as their group, so that yargs
 * prints this group first.
 */
const DEFAULT_HEADING = "Options:";

/** The subject of a table; undefined for sophia-run itself. */
type TableSubject = CommandName | TopicName | undefined;

/**
 * Returns the options of a command or a topic. For sophia-run itself returns the commands and the options of a start. Each
 * entry is on one line, however long that is.
 *
 * @param isFull true for all options; otherwise only the command's own, or those that most users need
 */
export async function createHelpTable(subject: TableSubject, isFull: boolean): Promise<string> {
  // With a name or a usage, yargs would print lines of its own above the table.
  const parser = yargs([]).scriptName("").usage("").locale("en").wrap(null).help(false).version(false);
  if (subject === undefined) addStartOptions(parser, isFull);
  else if (isTopic(subject)) addTopicOptions(parser, TOPICS[subject], isFull);
  else addCommandOptions(parser, subject, isFull);
  for (const [option, form] of Object.entries(DESCRIBED_COMMON_OPTIONS)) {
    parser.option(option, { describe: form.describe, alias: form.short });
  }
  const options = (await parser.getHelp()).trim();
  return subject === undefined ? `${createCommandTable()}\n\n${options}` : options;
}

/** Returns the lines of all commands, below the headings of their groups. */
function createCommandTable(): string {
  const width = Math.max(...COMMAND_NAMES.map(({ length }) => length));
  const lines = COMMAND_GROUPS.flatMap((group) => [
    `${group}:`,
    ...COMMAND_NAMES.filter((name) => COMMAND_GROUP_BY_NAME[name] === group).map(
      (name) => `  ${name.padEnd(width)}  ${COMMANDS[name].describe}`,
    ),
  ]);
  return lines.join("\n");
}

function addTopicOptions(parser: Argv, { options }: Topic, isFull: boolean): void {
  if (options === undefined) return addStartOptions(parser, isFull);
  for (const name of options) addOption(parser, name, OPTIONS[name], { describe: describeWithVariable(name) });
}

function addStartOptions(parser: Argv, isFull: boolean): void {
  if (isFull) return addSharedOptions(parser, "run");
  for (const name of OPTION_NAMES) {
    const { brief } = DESCRIPTIONS[name];
    if (brief !== undefined) addOption(parser, name, OPTIONS[name], { describe: brief });
  }
}

function addCommandOptions(parser: Argv, name: CommandName, isFull: boolean): void {
  const { options = {} }: CommandDefinition = COMMANDS[name];
  for (const [option, form] of Object.entries(options)) {
    addOption(parser, option, form, { describe: form.describe, group: DEFAULT_HEADING });
  }
  if (isFull) addSharedOptions(parser, name);
}

/** Adds the options that commands share, as far as the taker has them, below the headings of their groups. */
function addSharedOptions(parser: Argv, taker: Taker): void {
  for (const name of namesFor(taker)) {
    addOption(parser, name, OPTIONS[name], {
      describe: describeWithVariable(name),
      group: `${DESCRIPTIONS[name].group}:`,
    });
  }
}

function describeWithVariable(name: OptionName): string {
  return `${DESCRIPTIONS[name].describe} [${variableOf(name)}]`;
}

/**
 * Adds an option to the parser. yargs cannot show the name of a value, only its type. So the option's name for yargs
 * includes it: `timeout TIME`, `redact[=WHEN]`.
 */
function addOption(
  parser: Argv,
  name: string,
  { short, value, choices, alone }: OptionForm,
  { describe, group }: { readonly describe: string; readonly group?: string },
): void {
  const valueForm = formatValueName(value, alone !== undefined);
  const areChoicesDescribed = choices === undefined || choices.every((choice) => describe.includes(choice));
  parser.option(name + valueForm, {
    describe,
    ...(group === undefined ? {} : { group }),
    ...(short === undefined ? {} : { alias: short }),
    ...(areChoicesDescribed ? {} : { choices }),
  });
}

function formatValueName(value: string | undefined, isOptional: boolean): string {
  if (value === undefined) return "";
  return isOptional ? `[=${value}]` : ` ${value}`;
}
