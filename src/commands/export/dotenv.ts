import type { VariableFormat } from "./exported.ts";

/**
 * A `.env` file that dotenv for Node.js, `node --env-file` and python-dotenv read alike. python-dotenv decodes escapes in
 * both kinds of quotes, the others only `\n` in double quotes. A value with no form for all three is refused.
 */
export const dotenv: VariableFormat = {
  fault: ({ name, value }) => {
    if (!/^[\w.-]+$/.test(name)) return "its name must consist of letters, digits, _, . and -";
    if (name === "__proto__") return "dotenv for Node.js loses a variable of that name";
    if (value.includes("\r")) return "node --env-file drops the carriage return in its value";
    if (/\$\{[^}]*\}/.test(value)) return "python-dotenv replaces the ${…} in its value";
    if (encode(value) === undefined) {
      return "its value combines quotes, backslashes, # or line breaks, which parsers of .env files read differently";
    }
    return undefined;
  },
  write: (variables) => variables.map(({ name, value }) => `${name}=${encode(value) ?? ""}\n`).join(""),
};

function encode(value: string): string | undefined {
  if (/^[\w./:@%+,=-]+$/.test(value)) return value;
  // python-dotenv decodes `\\` and `\'` here; dotenv ignores a closing quote after a backslash.
  if (!value.includes("'") && !/\\\\|\\$/.test(value)) return `'${value}'`;
  if (!value.includes('"') && !/\\[\\'abfnrtv]|\\$/.test(value)) return `"${value}"`;
  return isPlain(value) ? value : undefined;
}

/** Without quotes all three trim the value and end it at a line break or a `#` (python-dotenv: a space and a `#`). */
function isPlain(value: string): boolean {
  if (/[\p{Cc}\u2028\u2029#]/u.test(value)) return false;
  return /^[^\s\p{Z}\p{Cf}'"`]/u.test(value) && !/[\s\p{Z}\p{Cf}]$/u.test(value);
}
