import type { CommandName } from "../../command-line/command-line.ts";
import { DESCRIPTIONS, OPTION_GROUPS } from "../../command-line/descriptions.ts";
import { namesFor, type Taker } from "../../command-line/takers.ts";
import { type Line, layOut, wrap } from "../../core/lines.ts";
import { renderLine, type Layout, withCommandsWhole } from "../../output/layout.ts";
import type { CommandDefinition } from "../command.ts";
import { tableOf } from "./help-table.ts";
import { BRIEF_SUMMARY, BRIEF_USAGE, EXAMPLES, formOf, INTRODUCTION, STATUSES, USAGES } from "./help-texts.ts";
import { COMMANDS } from "../registry.ts";
import { REPOSITORY } from "../parts/package-source.ts";
import { isTopic, type Topic, TOPIC_NAMES, type TopicName, TOPICS } from "./topics.ts";

const FEW_EXAMPLES = 2;

const EPILOGUE = [
  "Each option can also be set by the variable in brackets; the command line wins. A variable takes several values " +
    "separated by commas. A TIME is 500ms, 30s, 2m or 1h; a bare number is seconds.",
  `Further help: ${TOPIC_NAMES.map((name) => `sophia-run help ${name}`).join(", ")}.`,
  ["Exit status:", ...STATUSES.map(([status, meaning]) => ({ text: `  ${status.padEnd(14)} ${meaning}`, hang: 17 }))],
  "Colours appear only on terminals: NO_COLOR=1 turns them off, FORCE_COLOR=1 turns them on.",
  "docs/reference.md in the package describes all commands, options, variables and failure codes.",
];

/** Returns the help of the program, a command or a topic. */
export async function helpOf(
  of: CommandName | TopicName | undefined,
  layout: Layout,
  isFull: boolean,
): Promise<string> {
  if (of === undefined) return mainHelp(layout, isFull);
  return isTopic(of) ? topicHelp(of, layout, isFull) : commandHelp(of, layout, isFull);
}

/** Returns `sophia-run --help`. @param isFull all options, not only those that most users need */
export async function mainHelp(layout: Layout, isFull: boolean): Promise<string> {
  const usage = layout.named(`Usage: ${isFull ? USAGES.join("\nor:    ") : BRIEF_USAGE}`);
  const table = await tableOf(undefined, isFull);
  if (isFull) return laidOutHelp([usage, INTRODUCTION, table], [examples(EXAMPLES), ...EPILOGUE], layout);
  return laidOutHelp([usage, BRIEF_SUMMARY, table], [], layout);
}

/** Returns `sophia-run NAME --help`. @param isFull shared options as well, and all texts */
export async function commandHelp(name: CommandName, layout: Layout, isFull: boolean): Promise<string> {
  const command: CommandDefinition = COMMANDS[name];
  const usage = layout.named(`Usage: sophia-run ${formOf(name, command)}`);
  const prose = [`${command.describe}.`, ...(isFull ? (command.details ?? []) : [])];
  const groups = groupsOf(name);
  const blocks = [
    examples(isFull ? command.examples : command.examples.slice(0, FEW_EXAMPLES)),
    `Exit status: ${Object.entries(command.statuses)
      .map((one) => one.join(": "))
      .join("; ")}.`,
    ...(isFull || groups.length === 0 ? [] : [`More options with --help=all: ${groups.join(", ")}.`]),
  ];
  return laidOutHelp([usage, ...prose, await tableOf(name, isFull)], blocks, layout);
}

/** Returns `sophia-run help TOPIC`. @param isFull all options, if the topic is about those that most starts need */
async function topicHelp(name: TopicName, layout: Layout, isFull: boolean): Promise<string> {
  const { describe, text, commands, examples: lines, page }: Topic = TOPICS[name];
  const blocks = [
    examples(lines),
    `Commands: ${commands.map((one) => `sophia-run ${one}`).join(", ")}.`,
    [`${page} in the package has the rest:`, { text: `  ${REPOSITORY}/blob/main/${page}`, whole: true }],
  ];
  const table = await tableOf(name, isFull);
  return laidOutHelp([`${describe} (${name})`, ...text.map(layout.named), table], blocks, layout);
}

function groupsOf(taker: Taker): readonly string[] {
  const used = new Set(namesFor(taker).map((name) => DESCRIPTIONS[name].group));
  return OPTION_GROUPS.filter((group) => used.has(group));
}

/** Wraps and joins paragraphs. @param above the usage, the prose and the table, in which the command is already named */
function laidOutHelp(above: readonly string[], blocks: readonly (string | readonly Line[])[], layout: Layout): string {
  const lines = above.join("\n\n").split("\n");
  const texts = blocks.map((block) =>
    [block]
      .flat()
      .flatMap((line) => renderLine(line, layout))
      .join("\n"),
  );
  return `${[lines.flatMap((line) => broken(line, layout.width)).join("\n"), ...texts].join("\n\n")}\n`;
}

function examples(lines: readonly string[]): readonly Line[] {
  return ["Examples:", ...lines.map((line) => ({ text: `  ${line}`, whole: true }))];
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
