/** The help texts, laid out by yargs from the tables of options and subcommands. */
import yargs, { type Argv } from "yargs";
import { DESCRIPTIONS, OPTION_GROUPS, type OptionGroup } from "../command-line/descriptions.ts";
import { COMMON_OPTIONS, OPTION_NAMES, OPTIONS, variableOf, type OptionForm } from "../command-line/options.ts";
import type { CommandDefinition } from "./command.ts";
import { EXAMPLES, formOf, INTRODUCTION, meaningsOf, STATUSES, USAGES } from "./help-texts.ts";
import { COMMANDS } from "./registry.ts";

const WIDTH = 80;

const EPILOGUE = [
  "Each option can be set by the variable in brackets; the command line wins.",
  meaningsOf(STATUSES),
  "Colours are for terminals: NO_COLOR=1 turns them off, FORCE_COLOR=1 on.",
  "docs/reference.md of the package has all of this and more.",
];

/** `sophia-run --help`. */
export async function mainHelp(): Promise<string> {
  const parser = describeOptions(bare(), OPTION_GROUPS)
    .usage(`Usage: ${USAGES.join("\nor:    ")}\n\n${paragraph(INTRODUCTION)}`)
    .epilogue(EPILOGUE.map(paragraph).join("\n\n"));
  for (const example of EXAMPLES) parser.example(example, "");
  for (const [name, { describe }] of Object.entries(COMMANDS)) parser.command(name, describe);
  return `${await parser.getHelp()}\n`;
}

/** `sophia-run NAME --help`. */
export async function commandHelp(name: string, command: CommandDefinition): Promise<string> {
  const { describe, details = [], options = {}, groups, statuses, examples } = command;
  const prose = [`${describe}.`, ...details, meaningsOf(Object.entries(statuses))];
  const parser = bare().usage([`Usage: $0 ${formOf(name, command)}`, ...prose.map(paragraph)].join("\n\n"));
  for (const [option, shape] of Object.entries(options)) describeOption(parser, option, shape, shape.describe);
  describeOptions(parser, groups);
  for (const example of examples) parser.example(example, "");
  return `${await parser.getHelp()}\n`;
}

function bare(): Argv {
  return yargs([])
    .scriptName("sophia-run")
    .locale("en")
    .wrap(WIDTH)
    .help("help")
    .alias("help", "h")
    .describe("help", COMMON_OPTIONS.help.describe)
    .version("version", COMMON_OPTIONS.version.describe, "")
    .alias("version", "V");
}

function describeOptions(parser: Argv, groups: readonly OptionGroup[]): Argv {
  for (const name of OPTION_NAMES) {
    const { group, describe } = DESCRIPTIONS[name];
    if (groups.includes(group)) {
      describeOption(parser, name, OPTIONS[name], `${describe} [${variableOf(name)}]`, `${group}:`);
    }
  }
  return parser;
}

/** Tells the parser one option. */
function describeOption(
  parser: Argv,
  name: string,
  { type, short, choices }: OptionForm,
  describe: string,
  group?: string,
): void {
  parser.option(name, {
    // Said by the description; yargs' own notes of a type would take a third of the width.
    type: type === "boolean" ? "boolean" : "string",
    describe,
    ...(group === undefined ? {} : { group }),
    ...(short === undefined ? {} : { alias: short }),
    ...(choices === undefined ? {} : { choices }),
  });
}

/** yargs wraps columns but not the usage text. */
function paragraph(text: string): string {
  return text.replaceAll(new RegExp(`(.{1,${WIDTH}})(?: |$)`, "g"), "$1\n").trimEnd();
}
