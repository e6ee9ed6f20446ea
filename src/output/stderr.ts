import type { Context } from "../core/context.ts";
import type { ContractFileCode } from "../contract/file/contract-file-error.ts";
import { SophiaError } from "../core/error.ts";
import type { Failure } from "../core/model.ts";
import { type Line, wrap } from "../core/lines.ts";
import { systemErrorCode } from "../system/errors.ts";
import { memoryLimitOf, openFilesLimitOf } from "../system/limits.ts";
import { hasColours, painted } from "./colour.ts";
import { laidOut, type Layout, layoutFor, PLAIN, WIDTH, withCommandsWhole } from "./layout.ts";

const PROGRAM = "sophia-run:";
const INDENT = "  ";

type Lines = readonly [string, ...string[]];

/** Prints a failure, or a bug without its message, which may contain a secret. */
export async function printError(context: Context, error: unknown): Promise<void> {
  const limit = openFilesLimitOf(systemErrorCode(error)) ?? memoryLimitOf(error);
  if (error instanceof SophiaError) {
    const failure = await failureOf(error);
    printFailure(context, failure, remedyOf(failure));
  } else if (limit !== undefined) printFailure(context, { code: "system-limit", ...limit });
  else write(context, describeBug(error), "failure", true);
}

/** The codes of contract files, in place of the class of their errors, whose file would be loaded for every message. */
const CONTRACT_FILE_CODES: Readonly<Record<ContractFileCode, true>> = {
  "contract-invalid": true,
  "contract-unreadable": true,
  "contract-distrusted": true,
  "link-outside": true,
};

/** Returns an error in words. That of a contract file has only data, and its words are loaded only for it. */
export async function failureOf(error: SophiaError): Promise<Failure> {
  if (!Object.hasOwn(CONTRACT_FILE_CODES, error.code)) return error;
  return (await import("./contract-file-failure.ts")).wordContractFile(error);
}

/** Returns the remedy for a file that the limit on open files keeps from being read: nothing is wrong with the file. */
function remedyOf({ message }: Failure): string | undefined {
  return openFilesLimitOf(/\((E[MN]FILE)\)/.exec(message)?.[1])?.hint;
}

/** Prints a failure: the problem, then the remedy. A command that cannot be started gets one line, as in shells. */
function printFailure(context: Context, failure: Failure, remedy?: string): void {
  const isStart = failure.code === "not-found" || failure.code === "not-executable";
  const shown = remedy === undefined ? further(failure) : [...(failure.details ?? []), remedy];
  write(context, [failure.message, ...shown], "failure", isStart);
}

/** Describes a bug without its message, which may contain a value or a token. */
export function describeBug(error: unknown): Lines {
  const frames = error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return [`internal error (${name}); please report it`, ...frames.map((line) => line.trim())];
}

/** Prints a notice: its first line behind the name of the program, the others indented. */
export function printLines(context: Context, lines: Lines): void {
  write(context, lines, "notice");
}

/** @param isWhole do not wrap: other programs search for the message, or it has stack frames */
function write(context: Context, lines: Lines, kind: "failure" | "notice", isWhole = false): void {
  const layout = layoutFor(context, 2);
  const wrapped = messageLines(lines, isWhole ? { ...layout, width: Infinity } : layout);
  const shown = hasColours(context, 2) ? paintedMessage(wrapped, kind) : wrapped.flat();
  context.err(`${shown.join("\n")}\n`);
}

/** Returns a message as {@link printLines} prints it, without the name of the program. */
export function messageText(text: string, layout: Layout): string {
  return messageLines([text], layout)
    .flat()
    .join("\n")
    .slice(PROGRAM.length + 1);
}

/** Lays out a question, with a blank between it and the answer. */
export function questionText(context: Context, lines: readonly Line[]): string {
  const { width, ...rest } = layoutFor(context, 2);
  const layout = { ...rest, width: width - 1 };
  return `${lines.flatMap((line) => laidOut(line, layout)).join("\n")} `;
}

export type MessageLines = readonly (readonly string[])[];

/** Wraps a message: the first line after the name of the program, the others indented. */
export function messageLines([first, ...rest]: Lines, { width, named }: Layout): MessageLines {
  const broken = (line: string, indent: string, head?: number): readonly string[] =>
    wrap(withCommandsWhole(named(line)), width - INDENT.length, indent, head);
  const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => INDENT + line);
  const [head = "", ...more] = broken(first, "", width - PROGRAM.length - 1);
  return [[`${PROGRAM} ${head}`, ...indented(more)], ...rest.map((line) => indented(broken(line, INDENT)))];
}

export const FURTHER_WIDTH: number = WIDTH - INDENT.length;

/** Returns the number of lines of a message at the full width. */
export function heightOf(lines: Lines): number {
  return messageLines(lines, PLAIN).flat().length;
}

/** Paints the program's name, the cause of a failure, violated rules, and the word "warning". */
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

/** Returns the lines of a failure behind its message, the remedy last. */
export function further({ hint, details }: Failure): string[] {
  return [...(details ?? []), ...(hint === undefined ? [] : [hint])];
}
