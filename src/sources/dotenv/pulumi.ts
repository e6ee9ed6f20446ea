/**
 * Recognizes `.env` files that Pulumi's CLI wrote (`pulumi env open --format dotenv`), and decodes
 * their values:
 *
 *     API_KEY="sk-…"
 *     PATTERN="a\tb"
 *
 * There is one line for each variable, sorted by name. The variables of files follow in a second sorted run. The values have
 * the escapes of Go's strconv.Quote. Of these only `\n`, `\r`, `\"` and `\\` mean the same in every `.env` file. The others
 * are decoded only if the whole file has this form.
 */

/** Matches a line of such a file. */
const LINE = /^([\w.-]+)="(.*)"$/;
/** Matches the escapes that strconv.Quote writes: a letter, or a code point as `\x7f`, `\u00a0` or `\U0001f600`. */
const GO_ESCAPE = /\\(?:([abfnrtv\\"])|x([0-7][\da-f])|u([\da-f]{4})|U(000[\da-f]{5}|0010[\da-f]{4}))/g;
/** The characters for which the letters in escapes stand. */
const LETTERS: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\u000B",
};

/** Returns true if each line has the form of Pulumi's CLI, so that all escapes in the file are those of Go. */
export function isWrittenByPulumi(lines: readonly string[]): boolean {
  if (lines.length < 2 || lines.at(-1) !== "") return false;
  let previousName = "";
  let sortedRuns = 1;
  return lines.slice(0, -1).every((line) => {
    const [, name = "", text = ""] = LINE.exec(line) ?? [];
    if (name === previousName) return false;
    if (name < previousName) sortedRuns += 1;
    previousName = name;
    // Apart from its escapes, a text that Go quoted has no quote, no backslash and no control character.
    return name !== "" && sortedRuns <= 2 && !/["\\\p{Cc}]/u.test(text.replaceAll(GO_ESCAPE, ""));
  });
}

/** Decodes the text between the quotes that Go's strconv.Quote writes. */
export function decodeGo(text: string): string {
  return text.replaceAll(GO_ESCAPE, (_, letter?: string, ...codes: readonly (string | undefined)[]) => {
    if (letter !== undefined) return LETTERS[letter] ?? letter;
    return String.fromCodePoint(Number.parseInt(codes.slice(0, 3).find(Boolean) ?? "", 16));
  });
}

/** Escapes that a user may write while meaning a backslash, as in `C:\temp`. */
export const LETTER_ESCAPE = /\\[abftv]/;

/** Returns true if a line has an escape that only a program writes, such as `\x1b`. */
export function hasProgramEscape(lines: readonly string[]): boolean {
  return lines.some((line) => /\\[\\"xuU]/.test(line));
}
