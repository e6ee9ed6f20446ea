/**
 * The quick first test of each variable that a file sets. Only if it finds a suspect are the tables of `code-variables.ts`,
 * `network-variables.ts` and `key-addresses.ts` loaded.
 */
import { SUSPECT_FORMS, SUSPECT_NAMES } from "./generated/suspect-names.ts";

/**
 * Returns true for a variable that may run code, decide how programs connect, or send a key elsewhere. The test may report a
 * variable that does none of these, but must never miss one that does.
 */
export function isSuspect(name: string, value: string): boolean {
  // No listed name is as long, and the time of the pattern grows with the square of the length.
  if (name.length >= 200) return false;
  return isListed(name) || SUSPECT_FORMS.test(name) || (name.endsWith("_HOST") && value.includes("//"));
}

/**
 * The list has all names between bars. Package managers accept `-` for `_` in their settings, as a `.env` file may write it.
 */
function isListed(name: string): boolean {
  return SUSPECT_NAMES.includes(`|${name.toUpperCase().replaceAll("-", "_")}|`);
}
