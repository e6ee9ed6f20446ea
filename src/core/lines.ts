import { enumerate, isPlain } from "./text.ts";

/** A line before it is wrapped. `hang` is the indent of its continuation lines; see {@link hangOf}. */
interface LongLine {
  readonly text: string;
  readonly hang?: number;
  /** Never wrapped: a command to paste, or the row of a table. */
  readonly whole?: boolean;
  /** Wrapped only at a terminal, since users search logs for it. */
  readonly searched?: boolean;
}

export type Line = string | LongLine;

const KEPT_SPACE = "\0";

/** Marks a part, such as a command to paste, that {@link wrap} must not break. */
export function unbroken(part: string): string {
  return part.replaceAll(" ", KEPT_SPACE);
}

/**
 * Breaks a text at spaces into lines of at most `width` columns. Longer words, parts marked by {@link unbroken}, and
 * lines that begin with two spaces (something to copy) stay whole.
 */
export function wrap(text: string, width: number, indent = "", first = width): readonly string[] {
  const plain = withSpaces(text);
  if (text.startsWith("  ") || columnsOf(plain) <= first) return [plain];
  const lines: string[] = [];
  let line = "";
  // Not by lastIndexOf(" "), whose time is quadratic in the length of the text.
  for (const word of text.split(" ").map(withSpaces)) {
    const limit = lines.length === 0 ? first : width;
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

/** Breaks a line into lines of at most `width` columns. */
export function layOut(line: Line, width: number): readonly string[] {
  const given: LongLine = typeof line === "string" ? { text: line } : line;
  const { text } = given;
  const plain = withSpaces(text);
  if (given.whole === true || columnsOf(plain) <= width) return [plain];
  const { hang = hangOf(text) } = given;
  // No break directly behind the mark, which would then stand alone.
  const lead = headOf(text, hang);
  const [first = "", ...rest] = wrap(text.slice(lead.length), width, " ".repeat(hang), width - columnsOf(lead));
  return [lead + first, ...rest];
}

/** Returns the text up to the column of the continuation lines if a word begins there, else the indent. */
function headOf(text: string, hang: number): string {
  const [lead = ""] = MARK.exec(text) ?? /^ */.exec(text) ?? [];
  const head = withSpaces(text.slice(0, hang));
  return lead.length < hang && head.endsWith(" ") ? head : lead;
}

const MARK = /^ *(?:(?:✅|❌|⚠️|⏸️|➖|▫️) |[+~=?!-] )/u;

/** Returns the indent of continuation lines: behind the mark, or two columns more than the line's own. */
function hangOf(text: string): number {
  const [mark] = MARK.exec(text) ?? [];
  if (mark !== undefined) return columnsOf(mark);
  const lead = /^ */.exec(text)?.[0].length ?? 0;
  return lead === 0 ? 0 : lead + 2;
}

const MARKS = /\p{M}/gu;
/** East Asian wide characters, and emoji that are shown as such. */
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/gu;
/** The variation selector that makes the character before it an emoji of two columns. */
const EMOJI_SELECTOR = /\uFE0F/gu;

/** Returns the columns that a text takes on a terminal. */
export function columnsOf(text: string): number {
  if (isPlain(text)) return text.length;
  const shown = text.replaceAll(EMOJI_SELECTOR, "x").replaceAll(MARKS, "").replaceAll(WIDE, "xx");
  return Array.from(shown).length;
}

/** Enumerates words; of more than `most` the rest is counted. */
export function enumerateFew(words: readonly string[], most = 20, conjunction: "and" | "or" = "and"): string {
  if (words.length <= most) return enumerate(words, conjunction);
  return `${words.slice(0, most).join(", ")} ${conjunction} ${words.length - most} more`;
}

/** Returns the first lines, and a line with the number of the others. */
export function firstOf(lines: readonly string[], most: number): readonly string[] {
  return lines.length <= most ? lines : [...lines.slice(0, most), `and ${lines.length - most} more`];
}
