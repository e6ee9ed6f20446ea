/**
 * Wraps the lines of messages and reports for a terminal. The commands describe what they print as a list of {@link Line}s, and
 * `layOut` breaks each of them at spaces, and indents its continuation lines.
 */
import { enumerate, isPrintableAscii } from "./text.ts";

/** A line before it is wrapped, with options for the wrapping. */
interface LongLine {
  readonly text: string;
  /** The columns by which continuation lines are indented; by default as {@link defaultHangingIndent} says. */
  readonly hangingIndent?: number;
  /** True for a line that is never wrapped: a command to paste, or the row of a table. */
  readonly neverWraps?: boolean;
  /** True for a line that is wrapped only at a terminal, since users search for it in logs. */
  readonly wrapsOnlyAtTerminal?: boolean;
}

/** A line for {@link layOut}. It is a string if the defaults suit it. */
export type Line = string | LongLine;

/** Replaces the spaces at which a line must not be broken, until the line is printed. No text for a terminal contains NUL. */
const NO_BREAK_SPACE = "\0";

/** Marks a part of a line, such as a command to paste, so that {@link wrap} does not break it. */
export function unbroken(part: string): string {
  return part.replaceAll(" ", NO_BREAK_SPACE);
}

function withPlainSpaces(marked: string): string {
  return marked.replaceAll(NO_BREAK_SPACE, " ");
}

/**
 * Breaks a text at spaces into lines of at most `width` columns. Two things are never broken, even if they are too wide: a
 * single word or a part that {@link unbroken} has marked, and a text that begins with two spaces, which users may copy.
 *
 * @param indent what begins each line but the first
 * @param firstWidth the columns of the first line, which are fewer if the caller puts something in front of it
 */
export function wrap(text: string, width: number, indent = "", firstWidth = width): readonly string[] {
  const plainText = withPlainSpaces(text);
  if (text.startsWith("  ") || columnsOf(plainText) <= firstWidth) return [plainText];
  const lines: string[] = [];
  let line = "";
  // Searching backwards for a space (lastIndexOf) would take time that grows with the square of the length.
  for (const word of text.split(" ").map(withPlainSpaces)) {
    const maxColumns = lines.length === 0 ? firstWidth : width;
    if (line.trim() !== "" && columnsOf(line) + 1 + columnsOf(word) > maxColumns) {
      lines.push(line);
      line = indent + word;
    } else line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** Breaks a line into lines of at most `width` columns, as its options say. */
export function layOut(line: Line, width: number): readonly string[] {
  const longLine: LongLine = typeof line === "string" ? { text: line } : line;
  const { text } = longLine;
  const plainText = withPlainSpaces(text);
  if (longLine.neverWraps === true || columnsOf(plainText) <= width) return [plainText];
  const { hangingIndent = defaultHangingIndent(text) } = longLine;
  const head = headOf(text, hangingIndent);
  const rest = text.slice(head.length);
  const [firstLine = "", ...furtherLines] = wrap(rest, width, " ".repeat(hangingIndent), width - columnsOf(head));
  return [head + firstLine, ...furtherLines];
}

/**
 * Returns the part of a line in front of the text that is wrapped. It is never broken, so that a mark such as ✅ does not
 * stand alone on its line.
 */
function headOf(text: string, hangingIndent: number): string {
  const [markOrIndent = ""] = LINE_MARK.exec(text) ?? /^ */.exec(text) ?? [];
  const label = withPlainSpaces(text.slice(0, hangingIndent));
  // The head goes up to the column of the continuation lines if a word begins there, as in a row that begins with a label.
  return markOrIndent.length < hangingIndent && label.endsWith(" ") ? label : markOrIndent;
}

/** The mark at the beginning of a line of a list or report, with the spaces around it. */
const LINE_MARK = /^ *(?:(?:✅|❌|⚠️|⏸️|➖|▫️) |[+~=?!-] )/u;

/**
 * Returns how far continuation lines are indented by default: as far as the text behind the mark; without a mark two columns
 * more than the line itself, or not at all if the line is not indented.
 */
function defaultHangingIndent(text: string): number {
  const [mark] = LINE_MARK.exec(text) ?? [];
  if (mark !== undefined) return columnsOf(mark);
  const ownIndent = /^ */.exec(text)?.[0].length ?? 0;
  return ownIndent === 0 ? 0 : ownIndent + 2;
}

/** Combining characters, which take no column. */
const COMBINING = /\p{M}/gu;
/** East Asian wide characters and emoji, which take two columns. */
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/gu;
/** This selector makes the character before it an emoji of two columns. */
const EMOJI_SELECTOR = /\uFE0F/gu;

/** Returns the columns that a text takes on a terminal. */
export function columnsOf(text: string): number {
  if (isPrintableAscii(text)) return text.length;
  // Each replacement has as many characters as the original takes columns.
  const shown = text.replaceAll(EMOJI_SELECTOR, "x").replaceAll(COMBINING, "").replaceAll(WIDE, "xx");
  return Array.from(shown).length;
}

/** Joins words, as in `a, b and c`. If there are more than `maxWords`, the others are only counted: `a, b and 12 more`. */
export function enumerateFew(words: readonly string[], maxWords = 20, conjunction: "and" | "or" = "and"): string {
  if (words.length <= maxWords) return enumerate(words, conjunction);
  return `${words.slice(0, maxWords).join(", ")} ${conjunction} ${words.length - maxWords} more`;
}

/** Returns at most `maxLines` lines, followed by `and 12 more` if there are 12 further lines. */
export function limitLines(lines: readonly string[], maxLines: number): readonly string[] {
  return lines.length <= maxLines ? lines : [...lines.slice(0, maxLines), `and ${lines.length - maxLines} more`];
}
