/** Small helpers for what people read; pure. */

/**
 * Makes text from outside safe for a terminal and for one line: control characters (C0, DEL, C1), line and
 * paragraph separators and bidirectional overrides are shown escaped.
 */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replaceAll(/[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\r") return "\\r";
    if (character === "\t") return "\\t";
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(words: readonly string[], conjunction: "and" | "or" = "and"): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} ${conjunction} ${last}`;
}

/** `1 check`, `2 checks`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/**
 * The masking rule: `***` and the last four characters, only when the value has at least twelve, else `***`.
 * Characters are code points, so that no half of a surrogate pair is shown.
 */
export function mask(value: string): string {
  const characters = Array.from(value);
  return characters.length < 12 ? "***" : `***${printable(characters.slice(-4).join(""))}`;
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
