/** Texts for people, laid out and coloured: without colours the text is the same to the byte. */
import type { Context } from "../core/context.ts";
import type { Line } from "../core/lines.ts";
import type { Environment } from "../core/model.ts";
import { laidOut, type Layout, layoutFor } from "./layout.ts";

/** Values of FORCE_COLOR that switch colour on; as for Node.js itself, anything else switches it off. */
const FORCED: ReadonlySet<string> = new Set(["", "1", "2", "3", "true"]);

/**
 * Returns true if a stream may have colours. FORCE_COLOR decides by itself, as for Node.js
 * (tty.WriteStream.getColorDepth); else not with NO_COLOR (no-color.org), nor without a terminal that knows colours:
 * `TERM=dumb`, and no TERM at all, as for git and gcc.
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

export type Style = "bold" | "dim" | "red" | "green" | "yellow";

export function painted(style: Style | undefined, text: string): string {
  if (style === undefined) return text;
  // The caller has decided for a stream; node:util would ask another one.
  return process.getBuiltinModule("node:util").styleText(style, text, { validateStream: false });
}

/** Writes a text for people to the standard output, with colours where it may have them. */
export function tell(context: Context, text: string | readonly Line[]): void {
  const styleOf = hasColours(context, 1) ? reportStyles() : () => undefined;
  context.out(report(text, layoutFor(context, 1), styleOf));
}

/** Writes a help text, which is laid out already, with its headings in bold. */
export function tellHelp(context: Context, text: string): void {
  const headings = /^(?:Usage:|[A-Z][^\n:]*:$)/gm;
  context.out(hasColours(context, 1) ? text.replaceAll(headings, (heading) => painted("bold", heading)) : text);
}

/** The lines of a report as text; those that are carried over have the style of their beginning. */
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

/** The styles of a report's lines, one after the other. */
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
