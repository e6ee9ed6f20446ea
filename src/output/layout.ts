/** How texts for people are laid out: the width of the terminal, and the command as the user can type it. */
import { COMMAND_NAMES, HELP_WORD } from "../command-line/command-line.ts";
import type { Context } from "../core/context.ts";
import { type Line, layOut } from "../core/lines.ts";
import { terminalColumns } from "../system/terminal-columns.ts";
import { typedName } from "../system/typed-name.ts";

/** Columns of a line in a file or a log, and at most at a terminal. */
export const WIDTH = 80;
/** Columns that a line may need at least. */
const LEAST = 40;

export interface Layout {
  readonly width: number;
  readonly isTerminal: boolean;
  /** A text in which the command is named as the user can type it. */
  readonly named: (text: string) => string;
}

/** For texts of no terminal. */
export const PLAIN: Layout = { width: WIDTH, isTerminal: false, named: (text) => text };

/** The layout of what is written to a stream. THE place that decides the width. */
export function layoutFor(context: Context, to: 1 | 2): Layout {
  const columns = terminalColumns(to);
  return {
    width: Math.max(LEAST, Math.min(WIDTH, columns ?? WIDTH)),
    isTerminal: columns !== undefined,
    named: (text) => withName(text, context),
  };
}

/** The command where something follows that belongs to it; with a runner in front of it, it can be typed already. */
const COMMAND = new RegExp(
  String.raw`(?<![\w./@-])(?<!(?:\b(?:npx|bunx|yarn|run|exec)|--no-install|--) )sophia-run(?= (?:-|\[|(?:${[...COMMAND_NAMES, HELP_WORD].join("|")})\b))`,
  "g",
);

function withName(text: string, context: Context): string {
  return text.search(COMMAND) === -1 ? text : text.replaceAll(COMMAND, typedName(context));
}

/** One line, as the layout has it. */
export function laidOut(line: Line, { width, isTerminal, named }: Layout): readonly string[] {
  if (typeof line === "string") return layOut(named(line), width);
  const whole = line.whole === true || (line.searched === true && !isTerminal);
  return layOut({ ...line, text: named(line.text), whole }, width);
}
