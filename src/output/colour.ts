/** Prints reports and help for people: wraps the lines, and colours them if the stream is a terminal that shows colours. */
import type { Context } from "../core/context.ts";
import type { Line } from "../core/lines.ts";
import type { Environment } from "../core/model.ts";
import { renderLine, type Layout, layoutFor } from "./layout.ts";

/** Values of FORCE_COLOR that turn colours on. Any other value turns them off, as for Node.js itself. */
const COLOUR_VALUES: ReadonlySet<string> = new Set(["", "1", "2", "3", "true"]);

/**
 * Returns true if texts for a stream get colours. FORCE_COLOR wins over NO_COLOR (no-color.org), as in Node.js. Without a TERM
 * there are no colours, as for git.
 */
export function hasColours(
  { environment, isTerminal }: Pick<Context, "environment" | "isTerminal">,
  to: 1 | 2,
): boolean {
  const forced = environment.get("FORCE_COLOR");
  if (forced !== undefined) return COLOUR_VALUES.has(forced);
  return (environment.get("NO_COLOR") ?? "") === "" && isColourTerminal(environment) && isTerminal(to);
}

function isColourTerminal(environment: Environment): boolean {
  const terminal = environment.get("TERM") ?? "";
  return terminal === "" ? process.platform === "win32" : terminal !== "dumb";
}

/** A style of `util.styleText`. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow";

/** Adds the escape sequences of a style to a text. */
export function applyStyle(style: Style | undefined, text: string): string {
  if (style === undefined) return text;
  // `hasColours` has checked the right stream. By default node:util would check the standard output.
  return process.getBuiltinModule("node:util").styleText(style, text, { validateStream: false });
}

/** Prints a report, wrapped and coloured for the standard output. */
export function printReport(context: Context, text: string | readonly Line[]): void {
  const styleOf = hasColours(context, 1) ? createReportStyler() : () => undefined;
  context.out(layOutReport(text, layoutFor(context, 1), styleOf));
}

/** Prints a help text, which is already wrapped, with bold headings. */
export function printHelp(context: Context, text: string): void {
  const headings = /^(?:Usage:|[A-Z][^\n:]*:$)/gm;
  context.out(hasColours(context, 1) ? text.replaceAll(headings, (heading) => applyStyle("bold", heading)) : text);
}

/** Returns a report with its lines wrapped and coloured. @param styleOf is called with each line in turn */
export function layOutReport(
  text: string | readonly Line[],
  layout: Layout,
  styleOf: (line: string) => Style | undefined,
): string {
  const lines = typeof text === "string" ? text.replace(/\n$/, "").split("\n") : text;
  return lines
    .flatMap((line) => {
      const style = styleOf(typeof line === "string" ? line : line.text);
      return renderLine(line, layout).map((part) => applyStyle(style, part));
    })
    .map((line) => `${line}\n`)
    .join("");
}

/** The marks at the beginning of lines of reports. */
const STYLES_OF_MARKS: readonly (readonly [mark: string, style: Style])[] = [
  ["❌", "red"],
  ["⚠️", "yellow"],
  ["⏸️", "yellow"],
  ["! ", "yellow"],
  ["➖", "dim"],
];

/**
 * Returns a function that returns the style of a line. It must be called with each line of a report in turn, because ✅ is green
 * only in a summary. The lines before the first title are a summary, too.
 */
export function createReportStyler(): (line: string) => Style | undefined {
  let isSummary = true;
  return (line) => {
    if (/^(?:=== .* ===|--- .* ---)$/.test(line)) {
      isSummary = line === "--- Summary ---";
      return "bold";
    }
    if (line.startsWith("✅")) return isSummary ? "green" : undefined;
    return STYLES_OF_MARKS.find(([mark]) => line.startsWith(mark))?.[1];
  };
}
