/** Writes JSON for people and programs. No string in it can harm a terminal or GitHub's runner. */
import { printable } from "./text.ts";

/** Formats JSON on several lines. */
export function formatJson(value: unknown): string {
  // JSON.stringify escapes the line breaks in strings, so that each line can be made safe by itself.
  const lines = JSON.stringify(value, wellFormed, 2).split("\n");
  return `${lines.map(escapeUnsafe).join("\n")}\n`;
}

/** Formats JSON on one line. */
export function formatJsonLine(value: unknown): string {
  return `${escapeUnsafe(JSON.stringify(value, wellFormed))}\n`;
}

/**
 * Escapes what a terminal would execute, and `##[`, with which a command for GitHub's runner begins. Outside of strings JSON
 * contains neither, so that the escapes, such as `\u0023` for `#`, are valid.
 */
function escapeUnsafe(line: string): string {
  return printable(line).replaceAll("##[", String.raw`#\u0023[`);
}

/** Replaces halves of surrogate pairs, which many JSON parsers refuse even as escapes. It is a replacer for JSON.stringify. */
function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}
