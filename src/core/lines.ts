/** Long texts for people; pure. */
import { enumerate } from "./text.ts";

/** The beginning of a command that is there to be pasted, with the spaces at which no line may end. */
const TOGETHER =
  /\b(?:chmod (?:\S+ (?:'[^']*)?)?|pulumi (?:env (?:\S+ )?)?|sophia-run (?:(?:rotate|request) (?:\S+ (?:--in )?)?)?)|--(?:allow|reason) /g;
/** Stands for such a space. No text for people has it. */
const KEPT_SPACE = "\0";

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
  // Forwards over the text: to look back from each space would take time quadratic in its length.
  for (const part of text.replaceAll(TOGETHER, (words) => words.replaceAll(" ", KEPT_SPACE)).split(" ")) {
    const word = part.replaceAll(KEPT_SPACE, " ");
    const limit = lines.length === 0 ? first : width;
    if (line.trim() !== "" && line.length + 1 + word.length > limit) {
      lines.push(line);
      line = indent + word;
    } else line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** As {@link enumerate}, but of many names the first and how many more. */
export function enumerateFew(words: readonly string[], most = 20, conjunction: "and" | "or" = "and"): string {
  if (words.length <= most) return enumerate(words, conjunction);
  return `${words.slice(0, most).join(", ")} ${conjunction} ${words.length - most} more`;
}
