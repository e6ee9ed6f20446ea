import yargs, { type Argv } from "yargs";
import type { CommandName } from "../command-line/command-line.ts";
import { DESCRIPTIONS, OPTION_GROUPS } from "../command-line/descriptions.ts";
import { COMMON_OPTIONS, OPTION_NAMES, OPTIONS, variableOf, type OptionForm } from "../command-line/options.ts";
import { namesFor, type Taker } from "../command-line/takers.ts";
import { type Line, layOut, wrap } from "../core/lines.ts";
import { laidOut, type Layout, withCommandsWhole } from "../output/layout.ts";
import type { CommandDefinition } from "./command.ts";
import { EXAMPLES, formOf, INTRODUCTION, STATUSES, SUMMARY, USAGES } from "./help-texts.ts";
import { COMMANDS } from "./registry.ts";

/** The heading of yargs for options without a group. It is named first to be printed first. */
const OWN = "Options:";
const FEW_EXAMPLES = 2;

const EPILOGUE = [
  "Each option can also be set by the variable in brackets; the command line wins. A variable takes several values " +
    "separated by commas. A TIME is 500ms, 30s, 2m or 1h; a bare number is seconds.",
  ["Exit status:", ...STATUSES.map(([status, meaning]) => ({ text: `  ${status.padEnd(14)} ${meaning}`, hang: 17 }))],
  "Colours appear only on terminals: NO_COLOR=1 turns them off, FORCE_COLOR=1 turns them on.",
  "docs/reference.md in the package describes all commands, options, variables and failure codes.",
];

/** Returns `sophia-run --help`. @param isFull all options, not only those that most users need */
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
    if (brief !== undefined) describeOption(parser, name, OPTIONS[name], brief);
  }
  return finish(parser, layout, [
    "sophia-run help COMMAND describes a command; sophia-run --help=all lists all options.",
  ]);
}

/** Returns `sophia-run NAME --help`. @param isFull shared options as well, and all texts */
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
    `Exit status: ${Object.entries(statuses)
      .map((one) => one.join(": "))
      .join("; ")}.`,
    ...(isFull || groups.length === 0 ? [] : [`More options with --help=all: ${groups.join(", ")}.`]),
  ]);
}

export function groupsOf(taker: Taker): readonly string[] {
  const used = new Set(namesFor(taker).map((name) => DESCRIPTIONS[name].group));
  return OPTION_GROUPS.filter((group) => used.has(group));
}

function bare(): Argv {
  // Without a name, which would precede each subcommand.
  return yargs([]).scriptName("").locale("en").wrap(null).help(false).version(false);
}

async function finish(parser: Argv, layout: Layout, blocks: readonly (string | readonly Line[])[]): Promise<string> {
  for (const [name, form] of Object.entries(COMMON_OPTIONS)) {
    parser.option(name, { describe: form.describe, alias: form.short });
  }
  const lines = (await parser.getHelp()).trimEnd().split("\n");
  const texts = blocks.map((block) =>
    [block]
      .flat()
      .flatMap((line) => laidOut(line, layout))
      .join("\n"),
  );
  return `${[lines.flatMap((line) => broken(line, layout.width)).join("\n"), ...texts].join("\n\n")}\n`;
}

function examples(lines: readonly string[]): readonly Line[] {
  return ["Examples:", ...lines.map((line) => ({ text: `  ${line}`, whole: true }))];
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

const ROW = /^( +(?:-\w, +)?\S+(?: \S+)?) {2,}(?=\S)/;
/** Indent of a description below its option, if the first column is too wide. */
const BELOW = 8;

/** Wraps a line. yargs itself would break words. */
function broken(line: string, width: number): readonly string[] {
  const [head, first = ""] = ROW.exec(line) ?? [];
  if (head === undefined) return wrap(withCommandsWhole(line), width);
  const text = line.slice(head.length).replaceAll(/ {2,}/g, " ");
  if (head.length < width / 2) return layOut({ text: head + withCommandsWhole(text), hang: head.length }, width);
  return [first, ...wrap(withCommandsWhole(text), width - BELOW).map((one) => " ".repeat(BELOW) + one)];
}
