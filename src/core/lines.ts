/** Lays out text in lines for a terminal: breaks at spaces, indents continuation lines, and counts columns. */
import { enumerate, isPrintableAscii } from "./text.ts";

/** A line of a report before it is wrapped, with what differs from the usual layout. */
interface LongLine {
  readonly text: string;
  /** The columns by which continuation lines are indented; by default those of {@link defaultIndent}. */
  readonly hangingIndent?: number;
  /** True for a line that is never wrapped: a command to paste, or the row of a table. */
  readonly neverWraps?: boolean;
  /** True for a line that is wrapped only at a terminal, since users search for it in logs. */
  readonly wrapsOnlyAtTerminal?: boolean;
}

export type Line = string | LongLine;

/** Stands for a space at which a line must not be broken. */
const KEPT_SPACE = "\0";

/** Marks a part of a line, such as a command to paste, so that {@link wrap} does not break it. */
export function unbroken(part: string): string {
  return part.replaceAll(" ", KEPT_SPACE);
}

/**
 * Breaks a text at spaces into lines of at most `width` columns. Longer words, parts that {@link unbroken} has marked, and
 * texts that begin with two spaces (something to copy) stay whole.
 *
 * @param indent the spaces in front of each continuation line @param firstWidth the width of the first line
 */
export function wrap(text: string, width: number, indent = "", firstWidth = width): readonly string[] {
  const plain = withSpaces(text);
  if (text.startsWith("  ") || columnsOf(plain) <= firstWidth) return [plain];
  const lines: string[] = [];
  let line = "";
  // Searching backwards for a space (lastIndexOf) would take time that grows with the square of the length.
  for (const word of text.split(" ").map(withSpaces)) {
    const limit = lines.length === 0 ? firstWidth : width;
    if (line.trim() !== "" && columnsOf(line) + 1 + columnsOf(word) > limit) {
      lines.push(line);
      line = indent + word;
    } else line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}

function withSpaces(marked: string): string {
  return marked.replaceAll(KEPT_SPACE, " ");
}

/** Breaks a line into lines of at most `width` columns, unless it must stay whole. */
export function layOut(line: Line, width: number): readonly string[] {
  const longLine: LongLine = typeof line === "string" ? { text: line } : line;
  const { text } = longLine;
  const plain = withSpaces(text);
  if (longLine.neverWraps === true || columnsOf(plain) <= width) return [plain];
  const { hangingIndent = defaultIndent(text) } = longLine;
  // The head is not broken, so that a mark never stands alone on its line.
  const head = headOf(text, hangingIndent);
  const [first = "", ...rest] = wrap(
    text.slice(head.length),
    width,
    " ".repeat(hangingIndent),
    width - columnsOf(head),
  );
  return [head + first, ...rest];
}

/**
 * Returns the text in front of the column of the continuation lines, if a word begins there; otherwise the mark or indent.
 */
function headOf(text: string, hangingIndent: number): string {
  const [lead = ""] = LINE_MARK.exec(text) ?? /^ */.exec(text) ?? [];
  const head = withSpaces(text.slice(0, hangingIndent));
  return lead.length < hangingIndent && head.endsWith(" ") ? head : lead;
}

/** The mark at the beginning of a line of a list or report, with the spaces around it. */
const LINE_MARK = /^ *(?:(?:✅|❌|⚠️|⏸️|➖|▫️) |[+~=?!-] )/u;

/** Returns the indent of continuation lines: behind the mark; without a mark two columns more than the line's own indent. */
function defaultIndent(text: string): number {
  const [mark] = LINE_MARK.exec(text) ?? [];
  if (mark !== undefined) return columnsOf(mark);
  const lead = /^ */.exec(text)?.[0].length ?? 0;
  return lead === 0 ? 0 : lead + 2;
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

/** Joins words as `enumerate` does. If there are more than `maxWords`, the others are counted: `a, b and 12 more`. */
export function enumerateFew(words: readonly string[], maxWords = 20, conjunction: "and" | "or" = "and"): string {
  if (words.length <= maxWords) return enumerate(words, conjunction);
  return `${words.slice(0, maxWords).join(", ")} ${conjunction} ${words.length - maxWords} more`;
}

/** Returns the first lines. If there are more, a last line counts the others. */
export function limitLines(lines: readonly string[], maxLines: number): readonly string[] {
  return lines.length <= maxLines ? lines : [...lines.slice(0, maxLines), `and ${lines.length - maxLines} more`];
}
