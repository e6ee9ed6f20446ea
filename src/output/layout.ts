import { fstatSync, openSync } from "node:fs";
import { COMMAND_NAMES, HELP_WORD } from "../command-line/command-line.ts";
import type { Context } from "../core/context.ts";
import { columnsOf, type Line, layOut, unbroken } from "../core/lines.ts";
import { typedName } from "./typed-name.ts";

/** Columns of a line; fewer on a narrow terminal. */
export const WIDTH = 80;
const LEAST = 40;

export interface Layout {
  readonly width: number;
  readonly isTerminal: boolean;
  /** Replaces the name of the command in a text by the words that the user can type. */
  readonly named: (text: string) => string;
}

export const PLAIN: Layout = { width: WIDTH, isTerminal: false, named: (text) => text };

/** Returns the width of a stream, and the name of the command that the user can type. */
export function layoutFor(context: Context, to: 1 | 2): Layout {
  const columns = terminalColumns(to);
  return {
    width: Math.max(LEAST, Math.min(WIDTH, columns ?? WIDTH)),
    isTerminal: columns !== undefined,
    named: (text) => withName(text, context),
  };
}

/**
 * Returns the width of a terminal. Opens it again: libuv (uv_tty_init) replaces a descriptor's open file description and
 * makes it non-blocking, which must not happen to one that the program inherits.
 */
function terminalColumns(descriptor: 1 | 2): number | undefined {
  try {
    // Before node:tty is loaded, which takes milliseconds.
    if (!fstatSync(descriptor).isCharacterDevice()) return undefined;
    const { isatty, WriteStream } = process.getBuiltinModule("node:tty");
    if (!isatty(descriptor)) return undefined;
    if (process.platform === "win32") return (descriptor === 1 ? process.stdout : process.stderr).columns;
    const { O_RDWR, O_NOCTTY, O_NONBLOCK } = process.getBuiltinModule("node:fs").constants;
    const stream = new WriteStream(openSync(`/dev/fd/${descriptor}`, O_RDWR | O_NOCTTY | O_NONBLOCK));
    const { columns } = stream;
    stream.destroy();
    return columns > 0 ? columns : undefined;
  } catch {
    // The terminal belongs to another user or has hung up.
    return undefined;
  }
}

/** Matches the command followed by an argument, unless it already follows a runner such as npx. */
const COMMAND = new RegExp(
  String.raw`(?<![\w./@-])(?<!(?:\b(?:npx|bunx|yarn|exec|(?:npm|pnpm|yarn|bun|uv|pdm|poetry) run)|--no-install|--) )sophia-run(?= (?:[-<\[]|(?:${[...COMMAND_NAMES, HELP_WORD].join("|")})\b))`,
  "g",
);

function withName(text: string, context: Context): string {
  // Most texts do not have it, and the expression is slow.
  if (!text.includes("sophia-run") || text.search(COMMAND) === -1) return text;
  const name = typedName(context) + (context.projectOption ?? "");
  return text.replaceAll(COMMAND, () => name);
}

/** Matches beginnings of commands to paste, after which a line must not break. */
const PASTED = new RegExp(
  [
    String.raw`\bchmod (?:\S+ (?:'[^']*)?)?`,
    String.raw`\bpulumi (?:env (?:\S+ )?)?`,
    // With its runner, and for some subcommands a variable and an environment.
    String.raw`\b(?:(?:npx|bunx|yarn|pnpm|uv|pdm) (?:--no-install |exec |run )?|exec )?sophia-run\b(?: --project (?:'[^']*'|\S+))?(?: (?:(?:rotate|request) (?:\S+ (?:--in )?)?|allow(?: --\w+ (?:'[^']*'|[^\s,]+))*)?)?`,
    "--(?:allow|broker-(?:except|to)|exclude|reason) ",
  ].join("|"),
  "g",
);

/** Marks commands to paste in a text, so that no line breaks within their first words. */
export function withCommandsWhole(text: string): string {
  return text.replaceAll(PASTED, unbroken);
}

/** Lays out a line: names the command, and wraps it. */
export function laidOut(line: Line, { width, isTerminal, named }: Layout): readonly string[] {
  const given = typeof line === "string" ? { text: line } : line;
  const text = named(given.text);
  const isWhole = given.whole === true || (given.searched === true && !isTerminal);
  // Most lines fit, and need no search for commands.
  if (isWhole || columnsOf(text) <= width) return layOut({ text, whole: true }, width);
  return layOut({ ...given, text: withCommandsWhole(text) }, width);
}
