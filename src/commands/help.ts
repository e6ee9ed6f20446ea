/** The help texts, laid out by yargs from the tables of options and subcommands. */
import yargs, { type Argv } from "yargs";
import { DESCRIPTIONS, OPTION_GROUPS, type OptionGroup } from "../command-line/descriptions.ts";
import { COMMON_OPTIONS, OPTION_NAMES, OPTIONS, variableOf, type OptionForm } from "../command-line/options.ts";
import type { CommandDefinition } from "./command.ts";
import { COMMANDS } from "./registry.ts";

const WIDTH = 80;

const USAGE = `Usage: $0 [options] -- <command> [arguments…]
or:    $0 <subcommand> [options]

Starts a program with its configuration from the process environment, Pulumi
ESC and .env files, in this order of precedence, once it meets the contract.
Without -- options end at the first word that is none: a subcommand, or else
the command.`;

const EPILOGUE = `Each option can be set by the variable in brackets; the command line wins.

Exit status: that of the program; 78: the contract is not met, nothing was
started; 125: sophia-run itself failed; 126: the command cannot be executed;
127: it was not found.

Colours are for terminals: NO_COLOR=1 turns them off, FORCE_COLOR=1 on.`;

/** `sophia-run --help`. */
export async function mainHelp(): Promise<string> {
  const parser = describeOptions(bare(), OPTION_GROUPS)
    .usage(USAGE)
    .example("$0 -- node server.js", "")
    .example("ESC_ENV=sophia/dev ESC_TOKEN=… $0 -- python -m app", "")
    .example("$0 --dotenv .env.local --mode spawn -- make serve", "")
    .example("$0 check", "")
    .epilogue(EPILOGUE);
  for (const [name, { describe }] of Object.entries(COMMANDS)) parser.command(name, describe);
  return `${await parser.getHelp()}\n`;
}

/** `sophia-run NAME --help`. */
export async function commandHelp(name: string, command: CommandDefinition): Promise<string> {
  const { describe, details = [], positional, options = {}, groups, examples } = command;
  const form = positional === undefined ? "" : ` ${positional.form}`;
  const parser = bare().usage(
    [`Usage: $0 ${name} [options]${form}`, ...[`${describe}.`, ...details].map(paragraph)].join("\n\n"),
  );
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
