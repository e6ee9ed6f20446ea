import { printable } from "./text.ts";

/** Returns `***`, with the last four code points of a value that has at least twelve. */
export function mask(value: string): string {
  const characters = Array.from(value);
  return characters.length < 12 ? "***" : `***${printable(characters.slice(-4).join(""))}`;
}
