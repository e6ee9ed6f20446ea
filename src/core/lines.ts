import { enumerate } from "./text.ts";

/** A line before it is laid out, with the columns by which it goes on; see {@link hangOf}. */
export interface LongLine {
  readonly text: string;
  readonly hang?: number;
  /** To be pasted, or a row of a table: never broken. */
  readonly whole?: boolean;
  /** Logs are searched for it: broken at a terminal alone. */
  readonly searched?: boolean;
}

export type Line = string | LongLine;

/** Stands for a space at which no line may end. No text for people has it. */
const KEPT_SPACE = "\0";

/** Marks a part, such as a command to be pasted, that {@link wrap} never breaks. */
export function unbroken(part: string): string {
  return part.replaceAll(" ", KEPT_SPACE);
}

/**
 * Breaks a text at spaces into lines of at most `width` columns; those after the first begin with the indent. A word that
 * is longer stays whole, as does a part that is marked by {@link unbroken}, and a line that begins with two spaces: it
 * belongs to something to copy.
 *
 * @param first the width of the first line
 */
export function wrap(text: string, width: number, indent = "", first = width): readonly string[] {
  const plain = withSpaces(text);
  if (text.startsWith("  ") || columnsOf(plain) <= first) return [plain];
  const lines: string[] = [];
  let line = "";
  // Forwards over the text: to look back from each space would take time quadratic in its length.
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

/** As {@link wrap}, of a line of any kind, its indent included. */
export function layOut(line: Line, width: number): readonly string[] {
  const { text, hang = hangOf(text), whole = false }: LongLine = typeof line === "string" ? { text: line } : line;
  if (whole) return [withSpaces(text)];
  // Not a place to break either: what follows would stand alone below it.
  const lead = headOf(text, hang);
  const [first = "", ...rest] = wrap(text.slice(lead.length), width, " ".repeat(hang), width - columnsOf(lead));
  return [lead + first, ...rest];
}

/** The beginning of a line as far as the column at which it goes on, if that is between two words; else its indent. */
function headOf(text: string, hang: number): string {
  const [lead = ""] = MARK.exec(text) ?? /^ */.exec(text) ?? [];
  const head = withSpaces(text.slice(0, hang));
  return lead.length < hang && head.endsWith(" ") ? head : lead;
}

/** Beginning of a line of a report, or of a plan. */
const MARK = /^ *(?:(?:✅|❌|⚠️|⏸️|➖|▫️) |[+~=?!-] )/u;

/** Columns at which a line goes on: behind its mark, or a little further in than it begins. */
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
/** A character that is made an emoji (U+FE0F), which terminals show in two columns. */
const MADE_WIDE = /\uFE0F/gu;

export function columnsOf(text: string): number {
  // Nearly all are of such characters alone.
  if (/^[ -~]*$/.test(text)) return text.length;
  const shown = text.replaceAll(MADE_WIDE, "x").replaceAll(MARKS, "").replaceAll(WIDE, "xx");
  return Array.from(shown).length;
}

/** As {@link enumerate}, but of many names the first and how many more. */
export function enumerateFew(words: readonly string[], most = 20, conjunction: "and" | "or" = "and"): string {
  if (words.length <= most) return enumerate(words, conjunction);
  return `${words.slice(0, most).join(", ")} ${conjunction} ${words.length - most} more`;
}
