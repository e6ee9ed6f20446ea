/**
 * Lays out texts for a stream: wraps lines at the width of the terminal, and writes the name of the command as the user can type
 * it, such as `npx --no-install sophia-run`.
 */
import { fstatSync, openSync } from "node:fs";
import { COMMAND_NAMES, HELP_WORD } from "../command-line/command-line.ts";
import type { Context } from "../core/context.ts";
import { columnsOf, type Line, layOut, unbroken } from "../core/lines.ts";
import { findTypedName } from "./typed-name.ts";

/** The columns of a line. On a narrower terminal a line has as few as {@link MIN_WIDTH}. */
export const WIDTH = 80;
const MIN_WIDTH = 40;

/** The width and the names for the lines of one stream. */
export interface Layout {
  readonly width: number;
  readonly isTerminal: boolean;
  /** Replaces the name of the command in a text by the words that the user can type. */
  readonly named: (text: string) => string;
}

/** The layout for files and tests: the full width, and the plain name of the command. */
export const PLAIN_LAYOUT: Layout = { width: WIDTH, isTerminal: false, named: (text) => text };

/** Returns the layout for the standard output (1) or standard error (2). */
export function layoutFor(context: Context, to: 1 | 2): Layout {
  const columns = terminalColumns(to);
  return {
    width: Math.max(MIN_WIDTH, Math.min(WIDTH, columns ?? WIDTH)),
    isTerminal: columns !== undefined,
    named: (text) => replaceCommandName(text, context),
  };
}

/**
 * Returns the width of the terminal behind a descriptor; undefined if it is no terminal. The terminal is opened again, because
 * libuv (uv_tty_init) replaces the open file description of a descriptor and makes it non-blocking. That must not happen to a
 * descriptor that the program inherits.
 */
function terminalColumns(descriptor: 1 | 2): number | undefined {
  try {
    // This check comes first, because loading node:tty takes milliseconds.
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

/** Replaces the name of the command by the words that the user can type, where a command to paste begins. */
function replaceCommandName(text: string, context: Context): string {
  // Most texts do not name the command, and the expression is slow.
  if (!text.includes("sophia-run") || text.search(COMMAND) === -1) return text;
  const name = findTypedName(context) + (context.projectOption ?? "");
  return text.replaceAll(COMMAND, () => name);
}

/** A word in single quotes, as a shell reads it, also with quotes of its own: `'it'\''s here'`. */
const QUOTED = String.raw`'[^']*'(?:\\''[^']*')*`;

/** Matches beginnings of commands to paste, after which a line must not break. */
const PASTED = new RegExp(
  [
    String.raw`\bchmod (?:\S+ (?:'[^']*)?)?`,
    String.raw`\bpulumi (?:env (?:\S+ )?)?`,
    // `npx --no-install sophia-run --project app rotate API_KEY --in acme/app/dev`
    String.raw`\b(?:(?:npx|bunx|yarn|pnpm|uv|pdm) (?:--no-install |exec |run )?|exec )?sophia-run\b(?: --project (?:${QUOTED}|\S+))?(?: (?:(?:rotate|request) (?:\S+ (?:--in )?)?|allow(?: --\w+ (?:${QUOTED}|[^\s,]+))*)?)?`,
    "--(?:allow|broker-(?:except|to)|exclude|reason) ",
  ].join("|"),
  "g",
);

/** Marks commands to paste in a text, so that no line breaks within their first words. */
export function withCommandsWhole(text: string): string {
  return text.replaceAll(PASTED, unbroken);
}

/** Returns the lines that a line becomes: the command gets the name that the user can type, and the text is wrapped. */
export function renderLine(line: Line, { width, isTerminal, named }: Layout): readonly string[] {
  const longLine = typeof line === "string" ? { text: line } : line;
  const text = named(longLine.text);
  const isWhole = longLine.neverWraps === true || (longLine.wrapsOnlyAtTerminal === true && !isTerminal);
  // Most lines fit, and need no search for commands.
  if (isWhole || columnsOf(text) <= width) return layOut({ text, neverWraps: true }, width);
  return layOut({ ...longLine, text: withCommandsWhole(text) }, width);
}
