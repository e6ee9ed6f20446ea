import type { VariableFormat } from "./format.ts";

/**
 * A `.env` file that dotenv for Node.js, Node's own `--env-file` and python-dotenv all read alike. They differ in escapes
 * (python-dotenv decodes them in both kinds of quotes, dotenv and Node.js only `\n`, in double quotes). A value is written
 * in the first form that means the same to all three, and refused if there is none.
 */
export const dotenv: VariableFormat = {
  fault: ({ name, value }) => {
    if (!/^[\w.-]+$/.test(name)) return "its name is not one of letters, digits, _, . and -";
    if (name === "__proto__") return "dotenv for Node.js loses a variable of that name";
    if (value.includes("\r")) return "its value has a carriage return, which node --env-file drops";
    if (/\$\{[^}]*\}/.test(value)) return "its value has ${…} in it, which python-dotenv replaces";
    if (encode(value) === undefined) {
      return "its value combines quotes, backslashes, # or line breaks in a way for which no form means the same to all parsers";
    }
    return undefined;
  },
  write: (variables) => variables.map(({ name, value }) => `${name}=${encode(value) ?? ""}\n`).join(""),
};

function encode(value: string): string | undefined {
  if (/^[\w./:@%+,=-]+$/.test(value)) return value;
  // python-dotenv takes `\\` and `\'` for escapes here; a backslash in front of the closing quote hides it from dotenv.
  if (!value.includes("'") && !/\\\\|\\$/.test(value)) return `'${value}'`;
  if (!value.includes('"') && !/\\[\\'abfnrtv]|\\$/.test(value)) return `"${value}"`;
  return isPlain(value) ? value : undefined;
}

/** Without quotes all three trim the value and end it at a `#` (python-dotenv: at a space and a `#`) or a line break. */
function isPlain(value: string): boolean {
  if (/[\p{Cc}\u2028\u2029#]/u.test(value)) return false;
  return /^[^\s\p{Z}\p{Cf}'"`]/u.test(value) && !/[\s\p{Z}\p{Cf}]$/u.test(value);
}
