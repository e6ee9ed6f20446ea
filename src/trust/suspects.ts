/**
 * Decides quickly which variables that files set need a closer look. A cloned repository may contain such a file, and could set
 * variables that run code. Most starts have no suspect, and do not load the tables of `code-variables.ts`, `network-variables.ts`
 * and `key-addresses.ts`.
 */
import { SUSPECT_FORMS, SUSPECT_NAMES } from "./generated/suspect-names.ts";

/**
 * Returns true for a variable that may run code, decide how programs connect, or send a key elsewhere. The test may report a
 * variable that does none of these, but must never miss one that does.
 */
export function isSuspect(name: string, value: string): boolean {
  // Every listed name is shorter, and the pattern takes time that grows with the square of the length.
  if (name.length >= 200) return false;
  return isListed(name) || SUSPECT_FORMS.test(name) || (name.endsWith("_HOST") && value.includes("//"));
}

/**
 * Returns true if the list, which has each name between two `|`, contains the name in any case. Package managers accept `-` in place
 * of `_` in the names of their variables.
 */
function isListed(name: string): boolean {
  return SUSPECT_NAMES.includes(`|${name.toUpperCase().replaceAll("-", "_")}|`);
}
