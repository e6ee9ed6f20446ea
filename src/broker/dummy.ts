/** Dummy keys: what a program gets in place of a key. Worth nothing after the run, and nothing to others than the broker. */
import { randomInt } from "node:crypto";
import { formatFault, noWork } from "../contract/format.ts";
import type { Declaration, ValueFormat } from "../contract/model.ts";

const DIGITS = "0123456789";
const HEX = `${DIGITS}abcdef`;
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const ALL = `${DIGITS}${LOWER}${LOWER.toUpperCase()}`;
/** 190 bits of 62 characters; still 106 bits of digits alone. */
const LENGTH = 32;

/**
 * Makes up a key: the beginning that keys of this service have, `sophia-`, and 32 random letters and digits, or what of it the
 * declared format has room for.
 *
 * @returns undefined if the format has no room for 32 random characters
 */
export function dummyKey({
  name,
  example,
  format,
}: Pick<Declaration, "name" | "example" | "format">): string | undefined {
  const prefix = /^([A-Za-z][\w-]{0,15}[-_])<[^<>]*>$/.exec(example ?? "")?.[1] ?? "";
  const words = [
    `sophia-${random(ALL)}`,
    random(ALL),
    random(LOWER),
    random(HEX),
    random(HEX.toUpperCase()),
    random(DIGITS),
  ];
  for (const word of words) {
    for (const value of [prefix + word, formatted(format, word)]) {
      const isValid = format === undefined || formatFault(format, value, name, noWork()) === undefined;
      if (isValid && value.includes(word)) return value;
    }
  }
  return undefined;
}

function formatted(format: ValueFormat | undefined, word: string): string {
  if (format?.kind !== "text") return word;
  const { prefixes, minLength, pattern } = format;
  if (pattern !== undefined) return pattern.sample(word, minLength);
  return ((prefixes[0] ?? "") + word).padEnd(minLength, "0");
}

function random(characters: string): string {
  return Array.from({ length: LENGTH }, () => characters[randomInt(characters.length)]).join("");
}
