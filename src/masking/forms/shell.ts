/** A text as it stands in a word of a shell, and in the string literals that are written alike; pure. */
import { shellQuoted } from "../../core/shell.ts";

/** What no shell quotes in a way of its own. */
const PLAIN = /^[\w./:=@%+-]*$/;

/** The forms of a text in quotes and without; none where it is the same. */
export function shellForms(text: string): readonly string[] {
  if (PLAIN.test(text)) return [];
  return [
    // '…': POSIX, bash and zsh; dash and Python's shlex close, quote the quote and open again.
    shellQuoted(text).slice(1, -1),
    text.replaceAll("'", `'"'"'`),
    // "…".
    text.replaceAll(/[\\"$`]/g, String.raw`\$&`),
    // A backslash before each character that means something: printf %q of bash, zsh's ${(q)…}.
    text.replaceAll(/[ \t'"\\|&;()<>!{}*[\]?^$`,]|^[~#]/g, String.raw`\$&`),
    text.replaceAll(/[ \t'"\\|&;()<>!{}*[\]?^$`~#=]/g, String.raw`\$&`),
    // '…' of fish, and literals of JavaScript and Python without control characters.
    text.replaceAll(/[\\']/g, String.raw`\$&`),
    // $'…' (POSIX 2024, XCU 2.2.4), console.log of JavaScript, repr of Python.
    ...[octal, hexadecimal].flatMap((code) => [ansi(text, /[\\']|[^ -~]/g, code), ansi(text, /\\|[^ -~]/g, code)]),
    // The same, with what is not ASCII as it is.
    // oxlint-disable-next-line no-control-regex -- control characters are what is escaped
    ...[octal, hexadecimal].map((code) => ansi(text, /[\\'\u0000-\u001F\u007F]/g, code)),
  ];
}

const LETTERS: ReadonlyMap<string, string> = new Map([
  ["\u0007", "a"],
  ["\b", "b"],
  ["\t", "t"],
  ["\n", "n"],
  ["\v", "v"],
  ["\f", "f"],
  ["\r", "r"],
  ["\\", "\\"],
  ["'", "'"],
]);

function ansi(text: string, escaped: RegExp, code: (byte: number) => string): string {
  return text.replaceAll(escaped, (character) => {
    const letter = LETTERS.get(character);
    if (letter !== undefined) return `\\${letter}`;
    return Array.from(Buffer.from(character), (byte) => `\\${code(byte)}`).join("");
  });
}

function octal(byte: number): string {
  // Bash has a letter for it.
  return byte === 0x1b ? "E" : byte.toString(8).padStart(3, "0");
}

function hexadecimal(byte: number): string {
  return `x${byte.toString(16).padStart(2, "0")}`;
}
