import { parse } from "dotenv";

/** Returns the value that starts on line `at` with `start` and may continue; undefined if a quote is never closed. */
export function readValue(
  lines: readonly string[],
  at: number,
  start: string,
): { readonly value: string; readonly lastLine: number } | undefined {
  const quote = /^\s*(["'`])/.exec(start)?.[1];
  if (quote === undefined) return { value: parseOne(start), lastLine: at };
  const { closedAt, isOneLine } = findClosing(quote, lines, at, start);
  if (closedAt === undefined) return isOneLine ? { value: parseOne(start), lastLine: at } : undefined;
  const raw = [start, ...lines.slice(at + 1, closedAt + 1)].join("\n");
  return { value: parseOne(raw), lastLine: closedAt };
}

/**
 * Finds the end of a quoted value as dotenv does: the first quote without a backslash before it, if only blanks and a comment
 * follow on its line; else the last earlier quote that only they follow. `isOneLine`: that first quote is on the line of
 * the opening one. If no quote can close the value then, as in `"a" b`, all quotes belong to it.
 */
function findClosing(
  quote: string,
  lines: readonly string[],
  at: number,
  start: string,
): { readonly closedAt: number | undefined; readonly isOneLine: boolean } {
  let closedAt: number | undefined;
  for (let line = at; line < lines.length; line += 1) {
    const text = line === at ? start : (lines[line] ?? "");
    let position = line === at ? text.indexOf(quote) : -1;
    while ((position = text.indexOf(quote, position + 1)) !== -1) {
      if (endsLine(text, position + 1)) closedAt = line;
      if (text[position - 1] !== "\\") return { closedAt, isOneLine: line === at };
    }
  }
  return { closedAt, isOneLine: false };
}

const BLANKS = /\s*/y;

function endsLine(text: string, position: number): boolean {
  BLANKS.lastIndex = position;
  BLANKS.exec(text);
  return BLANKS.lastIndex === text.length || text[BLANKS.lastIndex] === "#";
}

// The name replaces the real one, which may be `__proto__`. dotenv's other mode overflows the stack on a long value.
function parseOne(raw: string): string {
  return parse(`V=${raw}`, { fast: true })["V"] ?? "";
}
