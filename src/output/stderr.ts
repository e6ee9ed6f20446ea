import type { Context } from "../core/context.ts";
import { SophiaError } from "../core/error.ts";
import type { Failure } from "../core/model.ts";
import { wrap } from "../core/lines.ts";
import { systemErrorCode } from "../system/errors.ts";
import { openFilesLimitOf } from "../system/limits.ts";
import { hasColours, paintMessage } from "./colour.ts";

/** Columns of a line, of which the program's name or an indent takes some. */
const WIDTH = 80;
const FIRST = WIDTH - "sophia-run: ".length;
const REST = WIDTH - "  ".length;

type Lines = readonly [string, ...string[]];

/** Writes what ended sophia-run: a failure in its words, anything else without its own. */
export function sayError(context: Context, error: unknown): void {
  const limit = openFilesLimitOf(systemErrorCode(error));
  if (error instanceof SophiaError) sayFailure(context, error);
  else if (limit !== undefined) sayFailure(context, { code: "system-limit", ...limit });
  else write(context, describeBug(error), "failure");
}

/** Writes a failure: what is wrong, then what to do. That of a start is one line, as in every shell. */
function sayFailure(context: Context, failure: Failure): void {
  const lines: Lines = [failure.message, ...further(failure)];
  const isStart = failure.code === "not-found" || failure.code === "not-executable";
  write(context, isStart ? lines : wrapped(lines), "failure");
}

/** What may be told of a bug. The message of a foreign error may hold a value or a token; the places in the code do not. */
export function describeBug(error: unknown): Lines {
  const places = error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return [`internal error (${name}); please report it`, ...places.map((line) => line.trim())];
}

/** Writes lines of which the first names the program and the others belong to it, in 80 columns. */
export function sayLines(context: Context, lines: Lines): void {
  write(context, wrapped(lines), "notice");
}

function wrapped([first, ...rest]: Lines): Lines {
  const [head = "", ...more] = wrap(first, REST, "", FIRST);
  return [head, ...more, ...rest.flatMap((line) => wrap(line, REST, "  "))];
}

function write(context: Context, [first, ...rest]: Lines, kind: "failure" | "notice"): void {
  const text = [`sophia-run: ${first}`, ...rest.map((line) => `  ${line}`), ""].join("\n");
  context.err(hasColours(context, 2) ? paintMessage(text, kind) : text);
}

/** The hint and the details of a failure as lines that stand under its message. */
export function further({ hint, details }: Failure): string[] {
  return [...(details ?? []), ...(hint === undefined ? [] : [hint])];
}
