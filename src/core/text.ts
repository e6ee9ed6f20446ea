/** Small helpers for what people read; pure. */

/**
 * What a terminal may act on or not show: control characters (C0, DEL, C1), line and paragraph separators, and what
 * changes the direction of text or has no width, but for the two joiners, which emoji and some scripts need.
 */
const UNSAFE =
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  /[\u0000-\u001F\u007F-\u009F\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]|[\u{E0000}-\u{E007F}]/gu;

/** Makes text from outside safe for a terminal and for one line: what is not is shown escaped. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\r") return "\\r";
    if (character === "\t") return "\\t";
    return escaped(character);
  });
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    return `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`;
  }).join("");
}

/** The first of many lines, and how many more there are. */
export function firstOf(lines: readonly string[], most: number): readonly string[] {
  return lines.length <= most ? lines : [...lines.slice(0, most), `and ${lines.length - most} more`];
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(words: readonly string[], conjunction: "and" | "or" = "and"): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} ${conjunction} ${last}`;
}

/** As {@link enumerate}, but of many names the first and how many more. */
export function enumerateFew(words: readonly string[], most = 20): string {
  return words.length <= most ? enumerate(words) : `${words.slice(0, most).join(", ")} and ${words.length - most} more`;
}

/** `1 check`, `2 checks`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/**
 * Breaks a text at spaces into lines of at most `width` characters; those after the first begin with the indent. A word that
 * is longer stays whole, and so does a line that begins with two spaces: it belongs to something to copy.
 *
 * @param first the width of the first line
 */
export function wrap(text: string, width: number, indent = "", first = width): readonly string[] {
  if (text.length <= first || text.startsWith("  ")) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const limit = lines.length === 0 ? first : width;
    if (line.trim() !== "" && line.length + 1 + word.length > limit) {
      lines.push(line);
      line = indent + word;
    } else line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}
