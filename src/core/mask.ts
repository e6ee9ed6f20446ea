import { printable } from "./text.ts";

/**
 * The masking rule: `***` and the last four characters, only when the value has at least twelve, else `***`.
 * Characters are code points, so that no half of a surrogate pair is shown.
 */
export function mask(value: string): string {
  const characters = Array.from(value);
  return characters.length < 12 ? "***" : `***${printable(characters.slice(-4).join(""))}`;
}
