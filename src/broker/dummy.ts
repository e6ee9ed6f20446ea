/** Dummy keys: what a program gets in place of a key. Worth nothing after the run, and nothing to others than the broker. */
import { randomInt } from "node:crypto";
import { formatFault, noWork } from "../contract/format.ts";
import type { Declaration, ValueFormat } from "../contract/contract-model.ts";

/** Stands in each dummy whose format has room for it, so that people and scanners recognize one. */
const MARK = "sophia-";

const DIGITS = "0123456789";
const HEX = `${DIGITS}abcdef`;
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const ALPHABETS = [
  DIGITS + LOWER + UPPER,
  DIGITS + LOWER,
  DIGITS + UPPER,
  LOWER,
  HEX,
  HEX.toUpperCase(),
  DIGITS,
] as const;

/** 190 bits of 62 characters; still 106 bits of digits alone. */
const LENGTH = 32;
const LEAST_BITS = LENGTH * Math.log2(DIGITS.length);

type Declared = Pick<Declaration, "name" | "example" | "format">;

/**
 * Makes up a key: the beginning that keys of this service have, `sophia-`, and 32 random letters and digits, or what of it the
 * declared format has room for. The random part has at least 106 bits.
 *
 * @returns undefined if the format has no room for that
 */
export function dummyKey(declared: Declared): string | undefined {
  for (const length of lengths()) {
    for (const alphabet of ALPHABETS.filter((one) => length * Math.log2(one.length) >= LEAST_BITS)) {
      const found = valueWith(MARK + random(alphabet, length), declared);
      if (found !== undefined) return found;
    }
  }
  // No part of the format has room for both.
  const values = ALPHABETS.flatMap((alphabet): readonly string[] => {
    const word = random(alphabet, LENGTH);
    const value = valueWith(word, declared);
    return value === undefined ? [] : [withMark(value, word, declared) ?? value];
  });
  return values.find((value) => value.includes(MARK)) ?? values[0];
}

/** All that are enough for some alphabet, the longest first. */
function lengths(): readonly number[] {
  const least = Math.ceil(LEAST_BITS / Math.log2(ALPHABETS[0].length));
  return Array.from({ length: LENGTH - least + 1 }, (_, index) => LENGTH - index);
}

/** Returns a valid value that contains the word. */
function valueWith(word: string, declared: Declared): string | undefined {
  const prefix = /^([A-Za-z][\w-]{0,15}[-_])<[^<>]*>$/.exec(declared.example ?? "")?.[1] ?? "";
  const values = [prefix + word, formatted(declared.format, word)];
  return values.find((value) => value.includes(word) && isValid(value, declared));
}

/** Longer values, of formats with a great least length, are not searched for a place. */
const LONGEST_SEARCHED = 500;

/** Puts the mark in front of the random word, or behind it, in place of some characters that the format needs there. */
function withMark(value: string, word: string, declared: Declared): string | undefined {
  if (value.length > LONGEST_SEARCHED) return undefined;
  const at = value.indexOf(word);
  const [before, behind] = [value.slice(0, at), value.slice(at + word.length)];
  for (const [text, whole] of [
    [before, (marked: string) => marked + word + behind],
    [behind, (marked: string) => before + word + marked],
  ] as const) {
    for (let from = 0; from <= text.length; from += 1) {
      for (let to = from; to <= Math.min(text.length, from + MARK.length); to += 1) {
        const marked = whole(text.slice(0, from) + MARK + text.slice(to));
        if (isValid(marked, declared)) return marked;
      }
    }
  }
  return undefined;
}

function isValid(value: string, { name, format }: Declared): boolean {
  return format === undefined || formatFault(format, value, name, noWork()) === undefined;
}

function formatted(format: ValueFormat | undefined, word: string): string {
  if (format?.kind !== "text") return word;
  const { prefixes, minLength, pattern } = format;
  if (pattern !== undefined) return pattern.sample(word, minLength);
  return ((prefixes[0] ?? "") + word).padEnd(minLength, "0");
}

function random(characters: string, length: number): string {
  return Array.from({ length }, () => characters[randomInt(characters.length)]).join("");
}
