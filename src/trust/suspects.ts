import { SUSPECT_FORMS, SUSPECT_NAMES } from "./generated/suspect-names.ts";

/**
 * Returns true for a variable that may run code, decide how programs connect, or send a key elsewhere: only then the tables of
 * these are loaded. It may report too many, never too few.
 */
export function isSuspect(name: string, value: string): boolean {
  // No listed name is longer, and the pattern of the forms takes time that grows with the square of the length.
  if (name.length >= 200) return false;
  return isListed(name) || SUSPECT_FORMS.test(name) || (name.endsWith("_HOST") && value.includes("//"));
}

/** A `.env` file may have `-` in settings of package managers, which take it for `_`. */
function isListed(name: string): boolean {
  return SUSPECT_NAMES.includes(`|${name.toUpperCase().replaceAll("-", "_")}|`);
}
