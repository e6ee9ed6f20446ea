import type { Context } from "../core/context.ts";
import { SophiaError } from "../core/error.ts";
import type { Failure } from "../core/model.ts";
import { type Line, wrap } from "../core/lines.ts";
import { systemErrorCode } from "../system/errors.ts";
import { openFilesLimitOf } from "../system/limits.ts";
import { hasColours, painted } from "./colour.ts";
import { laidOut, type Layout, layoutFor, PLAIN, WIDTH, withCommandsWhole } from "./layout.ts";

const PROGRAM = "sophia-run:";
const INDENT = "  ";

type Lines = readonly [string, ...string[]];

export function sayError(context: Context, error: unknown): void {
  const limit = openFilesLimitOf(systemErrorCode(error));
  if (error instanceof SophiaError) sayFailure(context, error);
  else if (limit !== undefined) sayFailure(context, { code: "system-limit", ...limit });
  else write(context, describeBug(error), "failure", true);
}

/** Writes a failure: what is wrong, then what to do. That of a start is one line, as in every shell. */
function sayFailure(context: Context, failure: Failure): void {
  const isStart = failure.code === "not-found" || failure.code === "not-executable";
  write(context, [failure.message, ...further(failure)], "failure", isStart);
}

/** Words for a bug. The message of a foreign error may hold a value or a token; the places in the code do not. */
export function describeBug(error: unknown): Lines {
  const places = error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return [`internal error (${name}); please report it`, ...places.map((line) => line.trim())];
}

/** Writes lines of which the first names the program and the others belong to it. */
export function sayLines(context: Context, lines: Lines): void {
  write(context, lines, "notice");
}

/** @param isWhole the lines are not broken: a message that others search for, or places in the code */
function write(context: Context, lines: Lines, kind: "failure" | "notice", isWhole = false): void {
  const layout = layoutFor(context, 2);
  const wrapped = messageLines(lines, isWhole ? { ...layout, width: Infinity } : layout);
  const shown = hasColours(context, 2) ? paintedMessage(wrapped, kind) : wrapped.flat();
  context.err(`${shown.join("\n")}\n`);
}

/** A message for another that writes the name of the program in front of it, laid out as {@link sayLines} does. */
export function messageText(text: string, layout: Layout): string {
  return messageLines([text], layout)
    .flat()
    .join("\n")
    .slice(PROGRAM.length + 1);
}

export function sayQuestion(context: Context, lines: readonly Line[]): void {
  context.err(questionText(context, lines));
}

/** The same for another that asks, such as one that does not show what is typed. */
export function questionText(context: Context, lines: readonly Line[]): string {
  const { width, ...rest } = layoutFor(context, 2);
  const layout = { ...rest, width: width - 1 };
  return `${lines.flatMap((line) => laidOut(line, layout)).join("\n")} `;
}

export type MessageLines = readonly (readonly string[])[];

/** Lays a message out: the first line behind the name of the program, the others under it. */
export function messageLines([first, ...rest]: Lines, { width, named }: Layout): MessageLines {
  const broken = (line: string, indent: string, head?: number): readonly string[] =>
    wrap(withCommandsWhole(named(line)), width - INDENT.length, indent, head);
  const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => INDENT + line);
  const [head = "", ...more] = broken(first, "", width - PROGRAM.length - 1);
  return [[`${PROGRAM} ${head}`, ...indented(more)], ...rest.map((line) => indented(broken(line, INDENT)))];
}

/** Columns of the lines of a message under its first one, where nothing makes them narrower. */
export const FURTHER_WIDTH: number = WIDTH - INDENT.length;

/** How many lines a message takes there. */
export function heightOf(lines: Lines): number {
  return messageLines(lines, PLAIN).flat().length;
}

/** A message: the program's name, the cause of a failure and the rules that are not met, or the word that it is a warning. */
export function paintedMessage(lines: MessageLines, kind: "failure" | "notice"): readonly string[] {
  return lines.flatMap((parts, index) => {
    const isFirst = index === 0;
    const isRed = (isFirst && kind === "failure") || parts[0]?.startsWith(`${INDENT}✗ `) === true;
    return parts.map((part, at) => painted(isRed ? "red" : undefined, isFirst && at === 0 ? paintedHead(part) : part));
  });
}

function paintedHead(line: string): string {
  return line
    .replace(PROGRAM, (name) => painted("bold", name))
    .replace(/(?<=^\S+ )warning:/, (word) => painted("yellow", word));
}

export function further({ hint, details }: Failure): string[] {
  return [...(details ?? []), ...(hint === undefined ? [] : [hint])];
}
