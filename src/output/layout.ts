import { COMMAND_NAMES, HELP_WORD } from "../command-line/command-line.ts";
import type { Context } from "../core/context.ts";
import { type Line, layOut, unbroken } from "../core/lines.ts";
import { terminalColumns } from "../system/terminal-columns.ts";
import { typedName } from "../system/typed-name.ts";

/** Columns of a line in a file or a log, and at most at a terminal. */
export const WIDTH = 80;
const LEAST = 40;

export interface Layout {
  readonly width: number;
  readonly isTerminal: boolean;
  /** A text in which the command is named as the user can type it. */
  readonly named: (text: string) => string;
}

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

/** Commands to be pasted, as far as a line may not end in them: with the space in front of the next word. */
const PASTED = new RegExp(
  [
    // A mode, and a file that may be in quotes.
    String.raw`\bchmod (?:\S+ (?:'[^']*)?)?`,
    String.raw`\bpulumi (?:env (?:\S+ )?)?`,
    // The command with what starts it; the name of a variable and its place.
    String.raw`\b(?:(?:npx|bunx|yarn|pnpm) (?:--no-install |exec )?|exec )?sophia-run\b(?: (?:(?:rotate|request) (?:\S+ (?:--in )?)?)?)?`,
    "--(?:allow|reason) ",
  ].join("|"),
  "g",
);

/** Marks what is there to be pasted, so that wrapping keeps it on one line. */
export function withCommandsWhole(text: string): string {
  return text.replaceAll(PASTED, unbroken);
}

export function laidOut(line: Line, { width, isTerminal, named }: Layout): readonly string[] {
  if (typeof line === "string") return layOut(withCommandsWhole(named(line)), width);
  const whole = line.whole === true || (line.searched === true && !isTerminal);
  return layOut({ ...line, text: withCommandsWhole(named(line.text)), whole }, width);
}
