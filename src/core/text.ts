/** Helps to build messages for the user: escapes untrusted text, joins words, and formats counts and durations. */

/**
 * Matches the characters that a terminal executes (controls), hides (such as U+200B) or reorders (such as U+202E), and the line
 * separators. U+200C and U+200D are allowed, because emoji and some scripts need them.
 */
const UNSAFE =
  // oxlint-disable-next-line no-control-regex -- control characters must be matched
  /[\u0000-\u001F\u007F-\u009F\u061C\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]|[\u{E0000}-\u{E007F}]/gu;

/** Returns true for a text that consists of printable ASCII. */
export function isPrintableAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

/**
 * Escapes the characters of untrusted text that are unsafe for a terminal or would end the line: a line feed becomes `\n`.
 * Halves of surrogate pairs become U+FFFD. In the executable for Linux they stand for bytes that are not UTF-8, such as
 * 0x9B, which some terminals execute.
 */
export function printable(text: string): string {
  // Most texts need no escapes. This test takes a third of the time that the replacements take.
  if (isPrintableAscii(text)) return text;
  return text
    .toWellFormed()
    .replaceAll(UNSAFE, (character) => SHORT_ESCAPES[character] ?? character.split("").map(unicodeEscape).join(""));
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Returns the escape of a UTF-16 code unit, such as `\u202e`, as JSON, JavaScript and Python read it. */
export function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Removes the byte order mark with which some editors begin a text. */
export function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

/** Joins words: `a`, `a and b`, `a, b and c`. */
export function enumerate(words: readonly string[], conjunction: "and" | "or" = "and"): string {
  const lastWord = words.at(-1) ?? "";
  return words.length < 2 ? lastWord : `${words.slice(0, -1).join(", ")} ${conjunction} ${lastWord}`;
}

/** Returns a number with its noun: `1 file`, `2 files`. */
export function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}

/** Returns a duration such as `45 s`, `5 min`, `3 h` or `2 days`. */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}
