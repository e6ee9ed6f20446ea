/**
 * Colour, put over a text that is already laid out: without it the text is the same to the byte. A line's mark decides;
 * what is for programs is never painted.
 */
import type { Context } from "../core/context.ts";
import type { Environment } from "../core/model.ts";

/** What FORCE_COLOR may say for colour to be on; as for Node.js itself, anything else switches it off. */
const FORCED: ReadonlySet<string> = new Set(["", "1", "2", "3", "true"]);

/**
 * Whether what is written to a stream may have colours. FORCE_COLOR decides by itself, as for Node.js
 * (tty.WriteStream.getColorDepth). Else a NO_COLOR that is not empty says no (no-color.org), and so does a stream that
 * is no terminal, or one that knows no colours: `TERM=dumb`, and no TERM at all, as for git and gcc.
 */
export function hasColours(
  { environment, isTerminal }: Pick<Context, "environment" | "isTerminal">,
  to: 1 | 2,
): boolean {
  const forced = environment.get("FORCE_COLOR");
  if (forced !== undefined) return FORCED.has(forced);
  return (environment.get("NO_COLOR") ?? "") === "" && knowsColours(environment) && isTerminal(to);
}

function knowsColours(environment: Environment): boolean {
  const terminal = environment.get("TERM") ?? "";
  // The console of Windows has no name.
  return terminal === "" ? process.platform === "win32" : terminal !== "dumb";
}

/** Writes a text for people to the standard output, with colours where it may have them. */
export function tell(context: Context, text: string): void {
  context.out(hasColours(context, 1) ? paint(text) : text);
}

/** Writes a help text likewise, with its headings in bold. */
export function tellHelp(context: Context, text: string): void {
  context.out(hasColours(context, 1) ? text.replaceAll(/^(?:Usage:|[A-Z][^\n:]*:$)/gm, STYLES.bold) : text);
}

const styled =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001B[${on}m${text}\u001B[${off}m`;

type Style = (text: string) => string;

const STYLES = {
  bold: styled(1, 22),
  dim: styled(2, 22),
  red: styled(31, 39),
  green: styled(32, 39),
  yellow: styled(33, 39),
} as const;

/** A report: headings, what fails, what is to be looked at, what is not there, and the good news at its end. */
export function paint(text: string): string {
  let isSummary = true;
  return paintLines(text, (line) => {
    if (/^(?:=== .* ===|--- .* ---)$/.test(line)) {
      isSummary = line === "--- Summary ---";
      return STYLES.bold;
    }
    if (line.startsWith("✅")) return isSummary ? STYLES.green : undefined;
    return MARKS.find(([mark]) => line.startsWith(mark))?.[1];
  });
}

const MARKS: readonly (readonly [mark: string, style: Style])[] = [
  ["❌", STYLES.red],
  ["⚠️", STYLES.yellow],
  ["⏸️", STYLES.yellow],
  ["! ", STYLES.yellow],
  ["➖", STYLES.dim],
];

const PROGRAM = "sophia-run:";

/** A message: the program's name, the cause of a failure and the rules that are not met, or the word that it is a warning. */
export function paintMessage(text: string, kind: "failure" | "notice"): string {
  const isFirst = (line: string): boolean => line.startsWith(PROGRAM);
  const painted = paintLines(text, (line) =>
    line.startsWith("  ✗ ") || (kind === "failure" && isFirst(line)) ? STYLES.red : undefined,
  );
  return painted.replace(PROGRAM, STYLES.bold).replace(/(?<=^\S+ )warning:/, STYLES.yellow);
}

/** Columns of a line; see `wrap`. */
const WIDTH = 80;

/** Paints lines by their style; what `wrap` has carried over to the next line has that of its beginning. */
function paintLines(text: string, styleOf: (line: string) => Style | undefined): string {
  let before = "";
  let style: Style | undefined;
  const paintLine = (line: string): string => {
    const [, word] = /^ +(\S+)/.exec(line) ?? [];
    const isCarriedOver = word !== undefined && before.length + 1 + word.length > WIDTH;
    const own = styleOf(line);
    style = own ?? (isCarriedOver ? style : undefined);
    before = line;
    return style === undefined ? line : style(line);
  };
  return text.split("\n").map(paintLine).join("\n");
}
