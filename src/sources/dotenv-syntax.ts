import { parse } from "dotenv";
import { SophiaError } from "../error.ts";
import type { Notice, Variable } from "../model.ts";
import { printable } from "../text.ts";

/** `NAME=`, `export NAME=` or `NAME: `, with the names that dotenv accepts. */
const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)/;
const IGNORABLE = /^\s*(?:#|$)/;

/**
 * Parses the text of one `.env` file. Each assignment is given to dotenv by itself, so that values mean what they
 * mean everywhere else; finding the assignments is ours, since dotenv tells no line numbers and passes over in
 * silence what it does not understand.
 *
 * @throws SophiaError (dotenv, 125) for an unterminated quote or a NUL, with file and line
 */
export function parseDotenv(text: string, file: string): { variables: Variable[]; notices: Notice[] } {
  const lines = text.replaceAll(/\r\n?/g, "\n").split("\n");
  const found = new Map<string, Variable>();
  const notices: Notice[] = [];
  const remark = (line: number, what: string): void => {
    notices.push({ kind: "remark", text: `${printable(file)}:${line}: ${what}` });
  };

  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const number = at + 1;
    if (line.includes("\0")) throw malformed(file, number, "a NUL character", "remove it; no variable can hold one");
    if (IGNORABLE.test(line)) continue;
    const match = ASSIGNMENT.exec(line);
    const name = match?.[1];
    if (match === null || name === undefined) {
      remark(number, "not of the form NAME=value, passed over");
      continue;
    }
    const start = line.slice(match[0].length);
    const { value, lastLine } = readValue(lines, at, start, file);
    if (found.has(name)) remark(number, `${name} is set a second time, the last one counts`);
    if (cutAtHash(start, value))
      remark(number, `the value of ${name} ends before a #; quote it if the # belongs to it`);
    found.set(name, {
      name,
      value,
      secret: true,
      origin: { source: "dotenv", file, line: number },
      delivery: "value",
    });
    at = lastLine;
  }
  return { variables: [...found.values()], notices };
}

/** The value that starts on line `at`; a quoted one may go on over further lines. */
function readValue(lines: readonly string[], at: number, start: string, file: string) {
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

/** An unquoted value in which a # without a space before it began a comment: more often a cut secret than a remark. */
function cutAtHash(start: string, value: string): boolean {
  return value !== "" && start.trimStart().startsWith(`${value}#`);
}

function malformed(file: string, line: number, what: string, hint: string): SophiaError {
  return new SophiaError({ code: "dotenv", message: `${printable(file)}:${line} has ${what}`, hint });
}
