/** The help texts, laid out for 80 columns; pure. */
import { COMMANDS, type CommandDefinition } from "./commands/index.ts";
import { definition, OPTION_NAMES, type OptionGroup } from "./options.ts";

const WIDTH = 80;

/** `sophia-run --help`. */
export function mainHelp(): string {
  const groups: readonly OptionGroup[] = ["Sources", "Contract", "Environment of the program", "Launching", "Output"];
  return layOut([
    "Usage: sophia-run [options] -- <command> [arguments…]",
    "       sophia-run <subcommand> [options]",
    "",
    ...wrap(
      "Starts a program with its configuration from the process environment, Pulumi ESC and .env files, in this " +
        "order of precedence, once it meets the contract.",
    ),
    "",
    ...table(
      "Subcommands",
      Object.entries(COMMANDS).map(([name, { describe }]) => [name, describe]),
    ),
    ...groups.flatMap(optionTable),
    ...table("Further options", COMMON),
    ...wrap("Each option can be set by the variable in brackets; the command line wins."),
    "",
    ...wrap(
      "Exit status: that of the program; 78: the contract is not met, nothing was started; 125: sophia-run itself " +
        "failed; 126: the command cannot be executed; 127: it was not found.",
    ),
    "",
    "Examples:",
    "  sophia-run -- node server.js",
    "  ESC_ENV=sophia/dev ESC_TOKEN=… sophia-run -- python -m app",
    "  sophia-run --env-file .env.local --mode spawn -- make serve",
    "  sophia-run check",
  ]);
}

/** `sophia-run NAME --help`. */
export function commandHelp(name: string, command: CommandDefinition): string {
  const { describe, details = [], positional, options = {}, groups, examples } = command;
  const own = Object.entries(options).map(([option, { describe: text, ...shape }]): [string, string] => [
    optionForm(option, shape),
    text,
  ]);
  return layOut([
    `Usage: sophia-run ${name} [options]${positional === undefined ? "" : ` ${positional.form}`}`,
    "",
    ...wrap(`${describe}.`),
    "",
    ...details.flatMap((paragraph) => [...wrap(paragraph), ""]),
    ...(own.length === 0 ? [] : table("Options", own)),
    ...groups.flatMap(optionTable),
    ...table("Further options", COMMON),
    "Examples:",
    ...examples.map((example) => `  ${example}`),
  ]);
}

const COMMON: readonly (readonly [string, string])[] = [
  ["-h, --help", "Show this help"],
  ["-V, --version", "Show the version"],
];

function optionTable(group: OptionGroup): readonly string[] {
  const rows = OPTION_NAMES.map((name) => ({ name, ...definition(name) }))
    .filter((option) => option.group === group)
    .map((option): [string, string] => [optionForm(option.name, option), `${option.describe} [${option.variable}]`]);
  return table(group, rows);
}

function optionForm(
  name: string,
  option: { readonly short?: string; readonly value?: string; readonly choices?: readonly string[]; type: string },
): string {
  const value = option.type === "boolean" ? "" : ` ${option.value ?? option.choices?.join("|") ?? "VALUE"}`;
  return `${option.short === undefined ? "    " : `-${option.short}, `}--${name}${value}`;
}

/** A titled table of two columns; what does not fit into the first one gets a line of its own. */
function table(title: string, rows: readonly (readonly [string, string])[]): readonly string[] {
  const column = 28;
  return [
    `${title}:`,
    ...rows.flatMap(([term, text]) => {
      const lines = wrap(text, WIDTH - column);
      const [first = "", ...rest] = lines;
      const head = term.length + 4 <= column ? [`  ${term.padEnd(column - 2)}${first}`] : [`  ${term}`, indent(first)];
      return [...head, ...rest.map(indent)];
    }),
    "",
  ];

  function indent(line: string): string {
    return " ".repeat(column) + line;
  }
}

/** Breaks at spaces; a word that is longer than a line stands alone. */
function wrap(text: string, width = WIDTH): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function layOut(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
