import { parse } from "dotenv";
import type { SophiaError } from "../../core/error.ts";
import { malformed } from "./syntax.ts";

/**
 * The value that starts on line `at` with `start`; a quoted one may go on over further lines.
 *
 * @throws SophiaError (dotenv, 125) for an unterminated quote or a NUL, with file and line
 */
export function readValue(
  lines: readonly string[],
  at: number,
  start: string,
  file: string,
): { readonly value: string; readonly lastLine: number } {
  const quote = /^\s*(["'`])/.exec(start)?.[1];
  let raw = start;
  let lastLine = at;
  let value = parseOne(raw);
  if (quote !== undefined && !hasClosing(quote, start.slice(start.indexOf(quote) + 1))) {
    // dotenv leaves the opening quote in place as long as it finds no closing one. After the first quote that
    // is not escaped it never will.
    for (let closed = false; value.startsWith(quote) && !closed; value = parseOne(raw)) {
      const next = nextLineWith(quote, lines, lastLine + 1);
      if (next === undefined) throw unclosed(file, at + 1, quote);
      raw = [raw, ...lines.slice(lastLine + 1, next + 1)].join("\n");
      lastLine = next;
      closed = hasClosing(quote, lines[next] ?? "");
    }
    if (value.startsWith(quote)) throw unclosed(file, at + 1, quote);
  }
  if (raw.includes("\0")) throw malformed(file, at + 1, "a NUL character", "remove it; no variable can hold one");
  return { value, lastLine };
}

function hasClosing(quote: string, text: string): boolean {
  for (let at = text.indexOf(quote); at !== -1; at = text.indexOf(quote, at + 1)) {
    if (text[at - 1] !== "\\") return true;
  }
  return false;
}

function nextLineWith(quote: string, lines: readonly string[], from: number): number | undefined {
  for (let at = from; at < lines.length; at++) if (lines[at]?.includes(quote) === true) return at;
  return undefined;
}

function unclosed(file: string, line: number, quote: string): SophiaError {
  return malformed(
    file,
    line,
    "a quote that is never closed",
    `close it with ${quote} at the end of a line, or put another kind of quote around the value`,
  );
}

// The name stands for the real one, which may be `__proto__`.
function parseOne(raw: string): string {
  return parse(`V=${raw}`)["V"] ?? "";
}
