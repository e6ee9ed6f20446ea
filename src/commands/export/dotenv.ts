/**
 * The format `dotenv` of `sophia-run export`: a `.env` file that three parsers read alike, which are dotenv for Node.js,
 * `node --env-file` and python-dotenv. A value that cannot be written for all three is refused.
 *
 *     PORT=8080
 *     GREETING='Hello "world"'
 *     NAME="it's"
 *
 * python-dotenv decodes escapes in both kinds of quotes; the other two decode only `\n`, in double quotes.
 */
import type { VariableFormat } from "./exported-variables.ts";

export const dotenvFormat: VariableFormat = {
  findFault: ({ name, value }) => {
    if (!/^[\w.-]+$/.test(name)) return "its name must consist of letters, digits, _, . and -";
    if (name === "__proto__") return "dotenv for Node.js loses a variable of that name";
    if (value.includes("\r")) return "node --env-file drops the carriage return in its value";
    if (/\$\{[^}]*\}/.test(value)) return "python-dotenv replaces the ${…} in its value";
    if (encodeValue(value) === undefined) {
      return "its value combines quotes, backslashes, # or line breaks, which parsers of .env files read differently";
    }
    return undefined;
  },
  write: (variables) => variables.map(({ name, value }) => `${name}=${encodeValue(value) ?? ""}\n`).join(""),
};

/** Returns the value as it is written behind `NAME=`; undefined if it cannot be written for all three parsers. */
function encodeValue(value: string): string | undefined {
  if (/^[\w./:@%+,=-]+$/.test(value)) return value;
  // In single quotes python-dotenv decodes only `\\` and `\'`. In both kinds of quotes dotenv ignores a closing quote after a
  // backslash, so that no quoted value may end in a backslash.
  const canBeSingleQuoted = !value.includes("'") && !/\\\\|\\$/.test(value);
  if (canBeSingleQuoted) return `'${value}'`;
  const canBeDoubleQuoted = !value.includes('"') && !/\\[\\'abfnrtv]|\\$/.test(value);
  if (canBeDoubleQuoted) return `"${value}"`;
  return canBeUnquoted(value) ? value : undefined;
}

/**
 * Returns true if the parsers read the value without quotes as it is. They remove spaces around a value, and end the value at a
 * line break or at a `#` (python-dotenv only at a space and a `#`).
 */
function canBeUnquoted(value: string): boolean {
  if (/[\p{Cc}\u2028\u2029#]/u.test(value)) return false;
  return /^[^\s\p{Z}\p{Cf}'"`]/u.test(value) && !/[\s\p{Z}\p{Cf}]$/u.test(value);
}
