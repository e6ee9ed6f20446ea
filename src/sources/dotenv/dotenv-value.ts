import { parse } from "dotenv";
import { decodeGo } from "./pulumi.ts";

export interface DotenvValue {
  readonly value: string;
  readonly lastLine: number;
  /** The kind of quotes around the value; absent if there are none. */
  readonly quote?: string;
}

/** Returns the value that starts on line `at` with `start` and may continue; undefined if a quote is never closed. */
export function readValue(
  lines: readonly string[],
  at: number,
  start: string,
  isOfPulumi: boolean,
): DotenvValue | undefined {
  const [opening, quote] = /^\s*(["'`])/.exec(start) ?? [];
  if (opening === undefined || quote === undefined) return { value: parseOne(start), lastLine: at };
  const { closing, isOneLine } = findClosing(quote, lines, at, start);
  if (closing === undefined) return isOneLine ? { value: parseOne(start), lastLine: at } : undefined;
  const { line, position } = closing;
  const texts = [start, ...lines.slice(at + 1, line + 1)];
  texts.push((texts.pop() ?? "").slice(0, position));
  const text = texts.join("\n").slice(opening.length);
  return { value: quote === '"' ? (isOfPulumi ? decodeGo : decode)(text) : text, lastLine: line, quote };
}

/** Decodes what is escaped in double quotes: line break, carriage return, quote and backslash. Other backslashes stay. */
function decode(text: string): string {
  return text.replaceAll(/\\([nr"\\])/g, (_, escaped: string) => DECODED[escaped] ?? escaped);
}

const DECODED: Readonly<Record<string, string>> = { n: "\n", r: "\r" };

interface Closing {
  readonly line: number;
  readonly position: number;
}

/**
 * Finds the end of a quoted value as dotenv does: the first quote that is not escaped, if only blanks and a comment follow
 * on its line; else the last earlier quote that only they follow. `isOneLine`: that first quote is on the line of the
 * opening one. If no quote can close the value then, as in `"a" b`, all quotes belong to it. Unlike dotenv, two backslashes
 * in double quotes are one, which escapes nothing.
 */
function findClosing(
  quote: string,
  lines: readonly string[],
  at: number,
  start: string,
): { readonly closing: Closing | undefined; readonly isOneLine: boolean } {
  let closing: Closing | undefined;
  for (let line = at; line < lines.length; line += 1) {
    const text = line === at ? start : (lines[line] ?? "");
    let position = line === at ? text.indexOf(quote) : -1;
    while ((position = text.indexOf(quote, position + 1)) !== -1) {
      if (endsLine(text, position + 1)) closing = { line, position };
      const backslashes = backslashesBefore(text, position);
      if (quote === '"' ? backslashes % 2 === 0 : backslashes === 0) return { closing, isOneLine: line === at };
    }
  }
  return { closing, isOneLine: false };
}

function backslashesBefore(text: string, position: number): number {
  let first = position;
  while (text[first - 1] === "\\") first -= 1;
  return position - first;
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
