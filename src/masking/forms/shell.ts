/** Words of shells, and the string literals that are written alike; pure. */
import { either, same, type Encoder } from "./encoder.ts";

const backslash: Encoder = (character) => `\\${character}`;

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

/** A character in `$'…'` (POSIX 2024, XCU 2.2.4), in console.log of JavaScript, in repr of Python. */
function ansi(code: (byte: number) => string): Encoder {
  return (character) => {
    const letter = LETTERS.get(character);
    if (letter !== undefined) return `\\${letter}`;
    return Array.from(Buffer.from(character), (byte) => `\\${code(byte)}`).join("");
  };
}

// Bash has a letter for ESC.
const octal = ansi((byte) => (byte === 0x1b ? "E" : byte.toString(8).padStart(3, "0")));
const hexadecimal = ansi((byte) => `x${byte.toString(16).padStart(2, "0")}`);

export const SHELL_ENCODERS: readonly Encoder[] = [
  // '…': most close, escape the quote and open again; dash and Python's shlex quote it.
  either(/'/, () => String.raw`'\''`, same),
  either(/'/, () => `'"'"'`, same),
  // "…".
  either(/[\\"$`]/, backslash, same),
  // Without quotes: printf %q of bash, ${(q)…} of zsh.
  either(/[ \t'"\\|&;()<>!{}*[\]?^$`,]/, backslash, same),
  either(/[ \t'"\\|&;()<>!{}*[\]?^$`~#=]/, backslash, same),
  // Shellwords of Ruby.
  either(/[^\w\-.,:+/@\n]/, backslash, same),
  // '…' of fish.
  either(/[\\']/, backslash, same),
  ...[octal, hexadecimal].flatMap((code) => [
    // oxlint-disable-next-line no-control-regex -- control characters are what is escaped
    either(/"/, backslash, either(/[\\'\u0000-\u001F\u007F]/, code, same)),
    either(/[\\']|[^ -~]/, code, same),
    either(/\\|[^ -~]/, code, same),
    // oxlint-disable-next-line no-control-regex -- control characters are what is escaped
    either(/[\\'\u0000-\u001F\u007F]/, code, same),
    // oxlint-disable-next-line no-control-regex -- control characters are what is escaped
    either(/[\\\u0000-\u001F\u007F]/, code, same),
  ]),
];
