/** Long texts for people; pure. */
import { enumerate } from "./text.ts";

/** A space where a line may end: not within a command that is there to be pasted. */
const BREAK =
  /(?<!\b(?:chmod(?: \S+(?: '[^']*)?)?|pulumi(?: env(?: \S+)?)?|sophia-run(?: (?:rotate|request)(?: \S+(?: --in)?)?)?)|--(?:allow|reason)) /;

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
  for (const word of text.split(BREAK)) {
    const limit = lines.length === 0 ? first : width;
    if (line.trim() !== "" && line.length + 1 + word.length > limit) {
      lines.push(line);
      line = indent + word;
    } else line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** As {@link enumerate}, but of many names the first and how many more. */
export function enumerateFew(words: readonly string[], most = 20): string {
  return words.length <= most ? enumerate(words) : `${words.slice(0, most).join(", ")} and ${words.length - most} more`;
}
