/**
 * Builds the help texts: `--help`, `--help=all`, `sophia-run COMMAND --help` and `sophia-run help TOPIC`. Each text
 * consists of the usage, prose, a table (`help-table.ts`) and further paragraphs, and is then broken into lines for the
 * width of the terminal.
 */
import type { CommandName } from "../../command-line/command-line.ts";
import { DESCRIPTIONS, OPTION_GROUPS } from "../../command-line/descriptions.ts";
import { namesFor, type Taker } from "../../command-line/takers.ts";
import { type Line, layOut, wrap } from "../../core/lines.ts";
import { renderLine, type Layout, withCommandsWhole } from "../../output/layout.ts";
import type { CommandDefinition } from "../command.ts";
import { createHelpTable } from "./help-table.ts";
import {
  BRIEF_SUMMARY,
  BRIEF_USAGE,
  START_EXAMPLES,
  formatCommandForm,
  INTRODUCTION,
  START_STATUSES,
  USAGE_LINES,
} from "./help-texts.ts";
import { COMMANDS } from "../registry.ts";
import { REPOSITORY_URL } from "../parts/package-source.ts";
import { isTopic, type Topic, TOPIC_NAMES, type TopicName, TOPICS } from "./topics.ts";

/** The number of examples that `--help` shows; `--help=all` shows all. */
const BRIEF_EXAMPLE_COUNT = 2;

/** The paragraphs at the end of `sophia-run --help=all`. */
const FULL_HELP_EPILOGUE = [
  "Each option can also be set by the variable in brackets; the command line wins. A variable takes several values " +
    "separated by commas. A TIME is 500ms, 30s, 2m or 1h; a bare number is seconds.",
  `Further help: ${TOPIC_NAMES.map((name) => `sophia-run help ${name}`).join(", ")}.`,
  [
    "Exit status:",
    ...START_STATUSES.map(([status, meaning]) => ({ text: `  ${status.padEnd(14)} ${meaning}`, hangingIndent: 17 })),
  ],
  "Colours appear only on terminals: NO_COLOR=1 turns them off, FORCE_COLOR=1 turns them on.",
  "docs/reference.md in the package describes all commands, options, variables and failure codes.",
];

/**
 * Returns the help of a command or a topic.
 *
 * @param subject undefined for sophia-run itself
 * @param isFull for `--help=all`
 */
export async function createHelp(
  subject: CommandName | TopicName | undefined,
  layout: Layout,
  isFull: boolean,
): Promise<string> {
  if (subject === undefined) return createMainHelp(layout, isFull);
  return isTopic(subject) ? createTopicHelp(subject, layout, isFull) : createCommandHelp(subject, layout, isFull);
}

/** Returns the text of `sophia-run --help`. @param isFull true for all options; otherwise those that most users need */
export async function createMainHelp(layout: Layout, isFull: boolean): Promise<string> {
  const usage = layout.named(`Usage: ${isFull ? USAGE_LINES.join("\nor:    ") : BRIEF_USAGE}`);
  const table = await createHelpTable(undefined, isFull);
  if (isFull)
    return layOutHelp(
      [usage, INTRODUCTION, table],
      [createExampleLines(START_EXAMPLES), ...FULL_HELP_EPILOGUE],
      layout,
    );
  return layOutHelp([usage, BRIEF_SUMMARY, table], [], layout);
}

/**
 * Returns the text of `sophia-run NAME --help`.
 *
 * @param isFull true for all paragraphs, examples and shared options as well
 */
export async function createCommandHelp(name: CommandName, layout: Layout, isFull: boolean): Promise<string> {
  const command: CommandDefinition = COMMANDS[name];
  const usage = layout.named(`Usage: sophia-run ${formatCommandForm(name, command)}`);
  const prose = [`${command.describe}.`, ...(isFull ? (command.details ?? []) : [])];
  const groups = listSharedOptionGroups(name);
  const statuses = Object.entries(command.statuses).map(([status, meaning]) => `${status}: ${meaning}`);
  const blocks = [
    createExampleLines(isFull ? command.examples : command.examples.slice(0, BRIEF_EXAMPLE_COUNT)),
    `Exit status: ${statuses.join("; ")}.`,
    ...(isFull || groups.length === 0 ? [] : [`More options with --help=all: ${groups.join(", ")}.`]),
  ];
  return layOutHelp([usage, ...prose, await createHelpTable(name, isFull)], blocks, layout);
}

/**
 * Returns the text of `sophia-run help TOPIC`.
 *
 * @param isFull true for all options of a start, if the topic lists no options itself
 */
async function createTopicHelp(name: TopicName, layout: Layout, isFull: boolean): Promise<string> {
  const { title, paragraphs, commands, examples: lines, documentPath }: Topic = TOPICS[name];
  const blocks = [
    createExampleLines(lines),
    `Commands: ${commands.map((command) => `sophia-run ${command}`).join(", ")}.`,
    [
      `${documentPath} in the package has the rest:`,
      { text: `  ${REPOSITORY_URL}/blob/main/${documentPath}`, neverWraps: true },
    ],
  ];
  const table = await createHelpTable(name, isFull);
  return layOutHelp([`${title} (${name})`, ...paragraphs.map(layout.named), table], blocks, layout);
}

/** Returns the groups of shared options of which a command takes at least one. */
function listSharedOptionGroups(taker: Taker): readonly string[] {
  const usedGroups = new Set(namesFor(taker).map((name) => DESCRIPTIONS[name].group));
  return OPTION_GROUPS.filter((group) => usedGroups.has(group));
}

/**
 * Breaks paragraphs into lines, and joins them with empty lines in between.
 *
 * @param above the usage, the prose and the table, in which the name of the command is already that of this installation
 * @param blocks the paragraphs below, in which the layout still replaces that name
 */
function layOutHelp(above: readonly string[], blocks: readonly (string | readonly Line[])[], layout: Layout): string {
  const linesAbove = above.join("\n\n").split("\n");
  const textAbove = linesAbove.flatMap((line) => breakLine(line, layout.width)).join("\n");
  const paragraphs = blocks.map((block) =>
    [block]
      .flat()
      .flatMap((line) => renderLine(line, layout))
      .join("\n"),
  );
  return `${[textAbove, ...paragraphs].join("\n\n")}\n`;
}

function createExampleLines(lines: readonly string[]): readonly Line[] {
  return ["Examples:", ...lines.map((line) => ({ text: `  ${line}`, neverWraps: true }))];
}

/** The first column of a table's row, and the spaces behind it: `  -q, --quiet  `, `      --timeout TIME  `. */
const FIRST_COLUMN = /^( +(?:-\w, +)?\S+(?: \S+)?) {2,}(?=\S)/;
/** The indent of a description that stands below its option, because the first column is too wide. */
const DESCRIPTION_INDENT = 8;

/**
 * Breaks a line of prose or of a table. Further lines of a description are aligned with its first line. yargs could break
 * lines itself, but would also break them within words.
 */
function breakLine(line: string, width: number): readonly string[] {
  const [columnAndGap, column = ""] = FIRST_COLUMN.exec(line) ?? [];
  if (columnAndGap === undefined) return wrap(withCommandsWhole(line), width);
  const gapEnd = columnAndGap.length;
  const description = withCommandsWhole(line.slice(gapEnd).replaceAll(/ {2,}/g, " "));
  if (gapEnd < width / 2) return layOut({ text: columnAndGap + description, hangingIndent: gapEnd }, width);
  const indent = " ".repeat(DESCRIPTION_INDENT);
  return [column, ...wrap(description, width - DESCRIPTION_INDENT).map((text) => indent + text)];
}
