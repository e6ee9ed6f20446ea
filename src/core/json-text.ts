/** Writes JSON for people and programs. No string in it can harm a terminal or GitHub's runner. */
import { printable } from "./text.ts";

/** Formats JSON on several lines. */
export function jsonText(value: unknown): string {
  // JSON.stringify escapes the line breaks in strings, so that each line can be made safe by itself.
  const lines = JSON.stringify(value, wellFormed, 2).split("\n");
  return `${lines.map(escapeUnsafe).join("\n")}\n`;
}

/** Formats JSON on one line. */
export function jsonLine(value: unknown): string {
  return `${escapeUnsafe(JSON.stringify(value, wellFormed))}\n`;
}

/** Escapes what a terminal would execute, and `##[`, which GitHub's runner would execute. Only strings can contain them. */
function escapeUnsafe(line: string): string {
  return printable(line).replaceAll("##[", String.raw`#\u0023[`);
}

/**
 * Replaces halves of surrogate pairs, because many JSON parsers refuse them even as escapes. A replacer for JSON.stringify.
 */
function wellFormed(_: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}
