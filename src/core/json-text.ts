import { printable } from "./text.ts";

/** Formats JSON on several lines, with escapes for characters that are unsafe for a terminal. */
export function jsonText(value: unknown): string {
  // JSON.stringify escapes line breaks in strings.
  const lines = JSON.stringify(value, wellFormed, 2).split("\n");
  return `${lines.map(safe).join("\n")}\n`;
}

export function jsonLine(value: unknown): string {
  return `${safe(JSON.stringify(value, wellFormed))}\n`;
}

/** Escapes what a terminal would execute, or GitHub's runner: `##[`, which only strings can contain. */
function safe(line: string): string {
  return printable(line).replaceAll("##[", String.raw`#\u0023[`);
}

/** Replaces halves of surrogate pairs, of which many parsers of JSON accept no escape either. */
function wellFormed(_: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}
