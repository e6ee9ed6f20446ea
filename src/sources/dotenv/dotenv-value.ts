/** Reads one value of a `.env` file, which may have quotes and several lines: `"first\nsecond" # comment`. */
import { parse } from "dotenv";
import { decodeGo } from "./pulumi.ts";

export interface DotenvValue {
  readonly value: string;
  /** The index of the line on which the value ends. */
  readonly lastLine: number;
  /** The kind of quotes around the value; absent if there are none. */
  readonly quote?: string;
}

/**
 * Reads the value of an assignment.
 *
 * @param lineIndex the line of the assignment
 * @param start the text of that line after `=`
 * @param isOfPulumi true if Pulumi's CLI wrote the file, so that values in double quotes have the escapes of Go
 * @returns undefined if a quote is never closed
 */
export function readValue(
  lines: readonly string[],
  lineIndex: number,
  start: string,
  isOfPulumi: boolean,
): DotenvValue | undefined {
  const [opening, quote] = /^\s*(["'`])/.exec(start) ?? [];
  if (opening === undefined || quote === undefined) return { value: parseByDotenv(start), lastLine: lineIndex };
  const { closing, isOneLine } = findClosing(quote, lines, lineIndex, start);
  // A value such as `"a" b` is not quoted for dotenv: all of it is the value.
  if (closing === undefined) return isOneLine ? { value: parseByDotenv(start), lastLine: lineIndex } : undefined;
  const { line, position } = closing;
  const texts = [start, ...lines.slice(lineIndex + 1, line + 1)];
  const lastText = texts.pop() ?? "";
  texts.push(lastText.slice(0, position));
  const text = texts.join("\n").slice(opening.length);
  // Between quotes of the other two kinds, backslashes stay in the value.
  const decodeEscapes = isOfPulumi ? decodeGo : decode;
  return { value: quote === '"' ? decodeEscapes(text) : text, lastLine: line, quote };
}

/** Decodes `\n`, `\r`, `\"` and `\\`, the escapes in double quotes. Other backslashes stay in the value. */
function decode(text: string): string {
  return text.replaceAll(/\\([nr"\\])/g, (_, escaped: string) => DECODED[escaped] ?? escaped);
}

const DECODED: Readonly<Record<string, string>> = { n: "\n", r: "\r" };

/** The place of the quote that ends a value: the index of its line, and its position there. */
interface Closing {
  readonly line: number;
  readonly position: number;
}

/**
 * Finds the end of a quoted value as dotenv does. That is the first quote that is not escaped, if only blanks and a comment
 * follow it on its line. Otherwise it is the last earlier quote that only they follow. If there is none either, as in `"a" b`,
 * all quotes belong to the value. Unlike in dotenv, two backslashes in double quotes are one backslash, which escapes nothing.
 *
 * @returns `isOneLine`: the first quote that is not escaped is on the line of the opening quote
 */
function findClosing(
  quote: string,
  lines: readonly string[],
  lineIndex: number,
  start: string,
): { readonly closing: Closing | undefined; readonly isOneLine: boolean } {
  let closing: Closing | undefined;
  for (let line = lineIndex; line < lines.length; line += 1) {
    const text = line === lineIndex ? start : (lines[line] ?? "");
    // On the first line, the search begins after the opening quote.
    let position = line === lineIndex ? text.indexOf(quote) : -1;
    while ((position = text.indexOf(quote, position + 1)) !== -1) {
      if (isLineEnd(text, position + 1)) closing = { line, position };
      const backslashes = backslashesBefore(text, position);
      const isEscaped = quote === '"' ? backslashes % 2 !== 0 : backslashes !== 0;
      if (!isEscaped) return { closing, isOneLine: line === lineIndex };
    }
  }
  return { closing, isOneLine: false };
}

function backslashesBefore(text: string, position: number): number {
  let first = position;
  while (text[first - 1] === "\\") first -= 1;
  return position - first;
}

/** Matches white space at the position `lastIndex`. */
const BLANKS = /\s*/y;

/** Returns true if only blanks, or blanks and a comment, follow the position on its line. */
function isLineEnd(text: string, position: number): boolean {
  BLANKS.lastIndex = position;
  BLANKS.exec(text);
  return BLANKS.lastIndex === text.length || text[BLANKS.lastIndex] === "#";
}

/**
 * Parses the text of a value by dotenv. The name `V` replaces the real one, which may be `__proto__`. The option `fast` is
 * needed, because dotenv's other mode overflows the stack on a long value.
 */
function parseByDotenv(text: string): string {
  return parse(`V=${text}`, { fast: true })["V"] ?? "";
}
