import { printable } from "./text.ts";

/** JSON on several lines, with escapes for what is not safe for a terminal. */
export function jsonText(value: unknown): string {
  // JSON.stringify escapes line breaks in strings.
  const lines = JSON.stringify(value, undefined, 2).split("\n");
  return `${lines.map(printable).join("\n")}\n`;
}

/** The same on one line. */
export function jsonLine(value: unknown): string {
  return `${printable(JSON.stringify(value))}\n`;
}
