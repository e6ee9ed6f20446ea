/** Wraps and colours texts for people. Colours change nothing else. */
import type { Context } from "../core/context.ts";
import type { Line } from "../core/lines.ts";
import type { Environment } from "../core/model.ts";
import { laidOut, type Layout, layoutFor } from "./layout.ts";

/** Values of FORCE_COLOR that turn colours on. Any other value turns them off, as for Node.js itself. */
const FORCED: ReadonlySet<string> = new Set(["", "1", "2", "3", "true"]);

/** FORCE_COLOR precedes NO_COLOR (no-color.org), as in Node.js. Without a TERM there are no colours, as for git. */
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
  return terminal === "" ? process.platform === "win32" : terminal !== "dumb";
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow";

/** Adds the escape sequences of a style to a text. */
export function painted(style: Style | undefined, text: string): string {
  if (style === undefined) return text;
  // The caller has checked the right stream; node:util would check another.
  return process.getBuiltinModule("node:util").styleText(style, text, { validateStream: false });
}

/** Prints a report, wrapped and coloured for the standard output. */
export function printReport(context: Context, text: string | readonly Line[]): void {
  const styleOf = hasColours(context, 1) ? reportStyles() : () => undefined;
  context.out(report(text, layoutFor(context, 1), styleOf));
}

/** Prints a help text, which is already wrapped, with bold headings. */
export function printHelp(context: Context, text: string): void {
  const headings = /^(?:Usage:|[A-Z][^\n:]*:$)/gm;
  context.out(hasColours(context, 1) ? text.replaceAll(headings, (heading) => painted("bold", heading)) : text);
}

/** Wraps and colours a report. @param styleOf gets each line in turn */
export function report(
  text: string | readonly Line[],
  layout: Layout,
  styleOf: (line: string) => Style | undefined,
): string {
  const lines = typeof text === "string" ? text.replace(/\n$/, "").split("\n") : text;
  return lines
    .flatMap((line) => {
      const style = styleOf(typeof line === "string" ? line : line.text);
      return laidOut(line, layout).map((one) => painted(style, one));
    })
    .map((line) => `${line}\n`)
    .join("");
}

const MARKS: readonly (readonly [mark: string, style: Style])[] = [
  ["❌", "red"],
  ["⚠️", "yellow"],
  ["⏸️", "yellow"],
  ["! ", "yellow"],
  ["➖", "dim"],
];

/** Returns a function that must be called with each line of a report in turn, and returns its style. */
export function reportStyles(): (line: string) => Style | undefined {
  let isSummary = true;
  return (line) => {
    if (/^(?:=== .* ===|--- .* ---)$/.test(line)) {
      isSummary = line === "--- Summary ---";
      return "bold";
    }
    if (line.startsWith("✅")) return isSummary ? "green" : undefined;
    return MARKS.find(([mark]) => line.startsWith(mark))?.[1];
  };
}
