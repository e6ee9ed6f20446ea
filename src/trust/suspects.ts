import { SUSPECT_NAMES } from "./generated/suspect-names.ts";

/**
 * Returns true for a variable that may run code, decide how programs connect, or send a key elsewhere: only then the tables of
 * these are loaded. It may report too many, never too few.
 */
export function isSuspect(name: string, value: string): boolean {
  // No listed name is longer, and the pattern takes time that grows with the square of the length.
  return name.length < 200 && (SUSPECT_NAMES.test(name) || (name.endsWith("_HOST") && value.includes("//")));
}
