/** The help texts, laid out by yargs from the tables of options and subcommands. */
import yargs, { type Argv } from "yargs";
import type { CommandName } from "../command-line/command-line.ts";
import { DESCRIPTIONS, OPTION_GROUPS } from "../command-line/descriptions.ts";
import { COMMON_OPTIONS, OPTION_NAMES, OPTIONS, variableOf, type OptionForm } from "../command-line/options.ts";
import { namesFor, type Taker } from "../command-line/takers.ts";
import { layOut, wrap } from "../core/lines.ts";
import { type Layout, withCommandsWhole } from "../output/layout.ts";
import type { CommandDefinition } from "./command.ts";
import { EXAMPLES, formOf, INTRODUCTION, meaningsOf, STATUSES, SUMMARY, USAGES } from "./help-texts.ts";
import { COMMANDS } from "./registry.ts";

/** Heading of what belongs to no group, as yargs has it. Named first, it stands first. */
const OWN = "Options:";
const FEW_EXAMPLES = 2;

const EPILOGUE = [
  "Each option can be set by the variable in brackets; the command line wins.",
  meaningsOf(STATUSES),
  "Colours are for terminals: NO_COLOR=1 turns them off, FORCE_COLOR=1 on.",
  "docs/reference.md of the package has all of this and more.",
];

/** Returns `sophia-run --help`: the commands and the options that most users need, or with `=all` all options. */
export async function mainHelp(layout: Layout, isFull: boolean): Promise<string> {
  const { named } = layout;
  const usage = named(`Usage: ${USAGES.join("\nor:    ")}`);
  const parser = bare();
  for (const [name, { describe }] of Object.entries(COMMANDS)) parser.command(name, describe);
  if (isFull) {
    parser.usage(`${usage}\n\n${INTRODUCTION}`);
    describeGroups(parser, "run");
    return finish(parser, layout, [examples(EXAMPLES), ...EPILOGUE]);
  }
  parser.usage(`${usage}\n\n${SUMMARY}`);
  for (const name of OPTION_NAMES) {
    const { brief } = DESCRIPTIONS[name];
    const { choices: _, ...form }: OptionForm = OPTIONS[name];
    if (brief !== undefined) describeOption(parser, name, form, brief);
  }
  return finish(parser, layout, [`sophia-run help COMMAND shows the options of a command, --help=all all options.`]);
}

/** Returns `sophia-run NAME --help`: its own options, or with `=all` those that it shares, too. */
export async function commandHelp(name: CommandName, layout: Layout, isFull: boolean): Promise<string> {
  const command: CommandDefinition = COMMANDS[name];
  const { describe, details = [], options = {}, statuses } = command;
  const { named } = layout;
  const parser = bare();
  const prose = [`${describe}.`, ...(isFull ? details : [])];
  const usage = named(`Usage: sophia-run ${formOf(name, command)}`);
  parser.usage([usage, ...prose].join("\n\n"));
  for (const [option, form] of Object.entries(options)) describeOption(parser, option, form, form.describe, OWN);
  if (isFull) describeGroups(parser, name);
  const groups = groupsOf(name);
  return finish(parser, layout, [
    examples(isFull ? command.examples : command.examples.slice(0, FEW_EXAMPLES)),
    meaningsOf(Object.entries(statuses)),
    ...(isFull || groups.length === 0 ? [] : [`More options (--help=all shows them): ${groups.join(", ")}.`]),
  ]);
}

export function groupsOf(taker: Taker): readonly string[] {
  const used = new Set(namesFor(taker).map((name) => DESCRIPTIONS[name].group));
  return OPTION_GROUPS.filter((group) => used.has(group));
}

function bare(): Argv {
  // Without a name: it would take a sixth of each line about a subcommand.
  return yargs([]).scriptName("").locale("en").wrap(null).help(false).version(false);
}

/** Returns the text of yargs with more blocks: paragraphs, and lines that are not broken. */
async function finish(
  parser: Argv,
  { width, named }: Layout,
  blocks: readonly (string | readonly string[])[],
): Promise<string> {
  for (const [name, form] of Object.entries(COMMON_OPTIONS)) {
    parser.option(name, { describe: form.describe, alias: form.short });
  }
  const lines = (await parser.getHelp()).trimEnd().split("\n");
  const texts = blocks.map((one) =>
    typeof one === "string" ? wrap(withCommandsWhole(named(one)), width).join("\n") : named(one.join("\n")),
  );
  return `${[lines.flatMap((line) => broken(line, width)).join("\n"), ...texts].join("\n\n")}\n`;
}

function examples(lines: readonly string[]): readonly string[] {
  return ["Examples:", ...lines.map((line) => `  ${line}`)];
}

function describeGroups(parser: Argv, taker: Taker): void {
  for (const name of namesFor(taker)) {
    const { group, describe } = DESCRIPTIONS[name];
    describeOption(parser, name, OPTIONS[name], `${describe} [${variableOf(name)}]`, `${group}:`);
  }
}

/** Adds an option to the parser. The name of its value becomes a part of its own: yargs shows types alone. */
function describeOption(
  parser: Argv,
  name: string,
  { short, value, choices, alone }: OptionForm,
  describe: string,
  group?: string,
): void {
  const behind = value === undefined ? "" : alone === undefined ? ` ${value}` : `[=${value}]`;
  parser.option(name + behind, {
    describe,
    ...(group === undefined ? {} : { group }),
    ...(short === undefined ? {} : { alias: short }),
    ...(choices === undefined ? {} : { choices }),
  });
}

/** A row of two columns: an option or a command, and its description. */
const ROW = /^( +(?:-\w, +)?\S+(?: \S+)?) {2,}(?=\S)/;
/** Indent of the second column if it has too little room beside the first. */
const BELOW = 8;

/** Breaks a line of yargs, which itself would break words. */
function broken(line: string, width: number): readonly string[] {
  const [head, first = ""] = ROW.exec(line) ?? [];
  if (head === undefined) return wrap(withCommandsWhole(line), width);
  const text = line.slice(head.length).replaceAll(/ {2,}/g, " ");
  if (head.length < width / 2) return layOut({ text: head + withCommandsWhole(text), hang: head.length }, width);
  return [first, ...wrap(withCommandsWhole(text), width - BELOW).map((one) => " ".repeat(BELOW) + one)];
}
