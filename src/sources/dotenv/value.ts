import { parse } from "dotenv";

/**
 * The value that starts on line `at` with `start`; a quoted one may continue on further lines.
 *
 * @returns `undefined` where a quote is never closed
 */
export function readValue(
  lines: readonly string[],
  at: number,
  start: string,
): { readonly value: string; readonly lastLine: number } | undefined {
  const quote = /^\s*(["'`])/.exec(start)?.[1];
  let value = parseOne(start);
  if (quote === undefined) return { value, lastLine: at };
  let lastLine = at;
  let closed = hasClosing(quote, start.slice(start.indexOf(quote) + 1));
  // dotenv leaves the opening quote in place as long as it finds no closing one. After the first quote that is not
  // escaped it never will.
  while (!closed && value.startsWith(quote)) {
    do lastLine += 1;
    while (lines[lastLine]?.includes(quote) === false);
    if (lastLine === lines.length) return undefined;
    value = parseOne([start, ...lines.slice(at + 1, lastLine + 1)].join("\n"));
    closed = hasClosing(quote, lines[lastLine] ?? "");
  }
  return lastLine > at && value.startsWith(quote) ? undefined : { value, lastLine };
}

/** Whether there is a quote that is not escaped. */
function hasClosing(quote: string, text: string): boolean {
  return new RegExp(String.raw`(?<!\\)${quote}`).test(text);
}

// The name stands for the real one, which may be `__proto__`.
function parseOne(raw: string): string {
  return parse(`V=${raw}`)["V"] ?? "";
}
