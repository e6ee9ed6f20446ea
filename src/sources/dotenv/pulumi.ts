/**
 * `pulumi env open --format dotenv` writes one line for each variable, `NAME="value"`, sorted by name, the variables of files
 * behind the others. The value has the escapes of Go's strconv.Quote. Only `\n`, `\r`,
 * `\"` and `\\` mean the same in every `.env`; the others do in a file that has this form from its first line to its last.
 */

const LINE = /^([\w.-]+)="(.*)"$/;
const GO_ESCAPE = /\\(?:([abfnrtv\\"])|x([0-7][\da-f])|u([\da-f]{4})|U(000[\da-f]{5}|0010[\da-f]{4}))/g;
const LETTERS: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\u000B",
};

/** Returns true if each line has the form of Pulumi's CLI, so that all escapes in the file are Go's. */
export function isWrittenByPulumi(lines: readonly string[]): boolean {
  if (lines.length < 2 || lines.at(-1) !== "") return false;
  let last = "";
  let runs = 1;
  return lines.slice(0, -1).every((line) => {
    const [, name = "", text = ""] = LINE.exec(line) ?? [];
    if (name === last) return false;
    if (name < last) runs += 1;
    last = name;
    // Without its escapes a text of Go has no quote, no backslash and no control character.
    return name !== "" && runs <= 2 && !/["\\\p{Cc}]/u.test(text.replaceAll(GO_ESCAPE, ""));
  });
}

/** Decodes the text between the quotes of Go's strconv.Quote. */
export function decodeGo(text: string): string {
  return text.replaceAll(GO_ESCAPE, (_, letter?: string, ...codes: readonly (string | undefined)[]) => {
    if (letter !== undefined) return LETTERS[letter] ?? letter;
    return String.fromCodePoint(Number.parseInt(codes.slice(0, 3).find(Boolean) ?? "", 16));
  });
}

/** A user may write these and mean a backslash, as in `C:\temp`. */
export const LETTER_ESCAPE = /\\[abftv]/;

/** Returns true if a line has an escape that only a program writes. */
export function hasProgramEscape(lines: readonly string[]): boolean {
  return lines.some((line) => /\\[\\"xuU]/.test(line));
}
