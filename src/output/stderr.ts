/**
 * Prints messages to standard error. A message is a list of texts: the first follows the name of the program, and the others are
 * indented below it:
 *
 *     sophia-run: the problem
 *       the remedy
 */
import type { Context } from "../core/context.ts";
import type { ContractFileCode } from "../contract/file/contract-file-error.ts";
import { SophiaError } from "../core/error.ts";
import type { Failure } from "../core/model.ts";
import { type Line, wrap } from "../core/lines.ts";
import { systemErrorCode } from "../system/errors.ts";
import { findMemoryLimit, findOpenFilesLimit } from "../system/system-limits.ts";
import { hasColours, applyStyle } from "./colour.ts";
import { renderLine, type Layout, layoutFor, PLAIN_LAYOUT, WIDTH, withCommandsWhole } from "./layout.ts";

const MESSAGE_PREFIX = "sophia-run:";
const INDENT = "  ";

/** The texts of a message, which are not wrapped yet. */
type MessageTexts = readonly [string, ...string[]];

/** Prints an error that ends a command: a failure, a limit of the system, or a bug. */
export async function printError(context: Context, error: unknown): Promise<void> {
  const limit = findOpenFilesLimit(systemErrorCode(error)) ?? findMemoryLimit(error);
  if (error instanceof SophiaError) {
    const failure = await completeFailure(error);
    printFailure(context, failure, findOpenFilesRemedy(failure));
  } else if (limit !== undefined) printFailure(context, { code: "system-limit", ...limit });
  else write(context, describeBug(error), "failure", true);
}

/** The codes of failures of contract files. Their class is not used here, because its file would be loaded for each message. */
const CONTRACT_FILE_CODES: Readonly<Record<ContractFileCode, true>> = {
  "contract-invalid": true,
  "contract-unreadable": true,
  "contract-distrusted": true,
  "link-outside": true,
};

/** Returns an error with its message. That of a contract file has only data, and the code that describes it is loaded here. */
export async function completeFailure(error: SophiaError): Promise<Failure> {
  if (!Object.hasOwn(CONTRACT_FILE_CODES, error.code)) return error;
  return (await import("./contract-file-failure.ts")).describeContractFileError(error);
}

/** Returns the remedy if the limit on open files is why a file could not be read: nothing is wrong with that file. */
function findOpenFilesRemedy({ message }: Failure): string | undefined {
  return findOpenFilesLimit(/\((E[MN]FILE)\)/.exec(message)?.[1])?.hint;
}

/**
 * Prints a failure: the problem, then the details and the remedy. The message of a program that cannot be started is not wrapped,
 * as in shells.
 *
 * @param remedy in place of the hint of the failure
 */
function printFailure(context: Context, failure: Failure, remedy?: string): void {
  const isAboutProgram = failure.code === "not-found" || failure.code === "not-executable";
  const detailLines = remedy === undefined ? listDetailsAndHint(failure) : [...(failure.details ?? []), remedy];
  write(context, [failure.message, ...detailLines], "failure", isAboutProgram);
}

/** Describes a bug without its message, which may contain a value or a token. */
export function describeBug(error: unknown): MessageTexts {
  const frames = error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return [`internal error (${name}); please report it`, ...frames.map((line) => line.trim())];
}

/** Prints a notice. */
export function printLines(context: Context, lines: MessageTexts): void {
  write(context, lines, "notice");
}

/**
 * Writes a message.
 *
 * @param isWhole true if it is not wrapped, because programs search for its text, or because it has stack frames
 */
function write(context: Context, lines: MessageTexts, kind: "failure" | "notice", isWhole = false): void {
  const layout = layoutFor(context, 2);
  const wrapped = layOutMessage(lines, isWhole ? { ...layout, width: Infinity } : layout);
  const shown = hasColours(context, 2) ? colourMessage(wrapped, kind) : wrapped.flat();
  context.err(`${shown.join("\n")}\n`);
}

/** Returns a message of one text as {@link printLines} prints it, without the name of the program. */
export function layOutMessageText(text: string, layout: Layout): string {
  return layOutMessage([text], layout)
    .flat()
    .join("\n")
    .slice(MESSAGE_PREFIX.length + 1);
}

/** Returns a question, with the lines above it, and with a space after it for the answer. */
export function layOutQuestion(context: Context, lines: readonly Line[]): string {
  const { width, ...rest } = layoutFor(context, 2);
  const layout = { ...rest, width: width - 1 };
  return `${lines.flatMap((line) => renderLine(line, layout)).join("\n")} `;
}

/** The lines of each text of a message, after wrapping. */
export type MessageLines = readonly (readonly string[])[];

/** Wraps a message, puts the name of the program in front of its first line, and indents the others. */
export function layOutMessage([first, ...rest]: MessageTexts, { width, named }: Layout): MessageLines {
  const wrapText = (text: string, indent: string, firstWidth?: number): readonly string[] =>
    wrap(withCommandsWhole(named(text)), width - INDENT.length, indent, firstWidth);
  const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => INDENT + line);
  const [firstLine = "", ...continuation] = wrapText(first, "", width - MESSAGE_PREFIX.length - 1);
  return [
    [`${MESSAGE_PREFIX} ${firstLine}`, ...indented(continuation)],
    ...rest.map((text) => indented(wrapText(text, INDENT))),
  ];
}

/** The width of the lines below the first one. */
export const INDENTED_WIDTH: number = WIDTH - INDENT.length;

/** Returns the number of lines of a message at the full width. */
export function countMessageLines(lines: MessageTexts): number {
  return layOutMessage(lines, PLAIN_LAYOUT).flat().length;
}

/** Colours the program's name, the cause of a failure, the violations, and the word "warning". */
export function colourMessage(lines: MessageLines, kind: "failure" | "notice"): readonly string[] {
  return lines.flatMap((linesOfText, textIndex) => {
    const isFirst = textIndex === 0;
    const isViolation = linesOfText[0]?.startsWith(`${INDENT}✗ `) === true;
    const style = (isFirst && kind === "failure") || isViolation ? "red" : undefined;
    return linesOfText.map((line, index) => applyStyle(style, isFirst && index === 0 ? colourFirstLine(line) : line));
  });
}

function colourFirstLine(line: string): string {
  return line
    .replace(MESSAGE_PREFIX, (name) => applyStyle("bold", name))
    .replace(/(?<=^\S+ )warning:/, (word) => applyStyle("yellow", word));
}

/** Returns the details of a failure and, as the last line, its remedy. */
export function listDetailsAndHint({ hint, details }: Failure): string[] {
  return [...(details ?? []), ...(hint === undefined ? [] : [hint])];
}
