/**
 * Makes up dummies, such as `sk-sophia-Vb3…`, which a program gets in place of its keys. A dummy is valid in the declared format,
 * so that clients accept it. It is useless after the run, and without the broker.
 */
import { randomInt } from "node:crypto";
import { findFormatFault, createPatternWork } from "../contract/format.ts";
import type { Declaration, ValueFormat } from "../contract/contract-model.ts";

/** A text in each dummy whose format has room for it, by which people and scanners recognize a dummy. */
const DUMMY_MARK = "sophia-";

const DIGITS = "0123456789";
const HEX = `${DIGITS}abcdef`;
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
/** The characters of random words. The first alphabet that the format allows is used. */
const ALPHABETS = [
  DIGITS + LOWER + UPPER,
  DIGITS + LOWER,
  DIGITS + UPPER,
  LOWER,
  HEX,
  HEX.toUpperCase(),
  DIGITS,
] as const;

/** The length of a random word. With the largest alphabet, of 62 characters, it has 190 random bits; with digits it has 106. */
const WORD_LENGTH = 32;
/** The random bits that each dummy must have: 106. */
const MIN_BITS = WORD_LENGTH * Math.log2(DIGITS.length);

/** The parts of a declaration on which a dummy depends. */
type DummyDeclaration = Pick<Declaration, "name" | "example" | "format">;

/**
 * Makes up a dummy: the prefix that keys of this service have, then `sophia-`, then 32 random letters and digits. If the declared
 * format does not allow that, the random word is shorter or has fewer kinds of characters, but never less than 106 bits; if
 * necessary, `sophia-` is left out.
 *
 * @returns undefined if the format has no room for 106 random bits
 */
export function createDummy(declaration: DummyDeclaration): string | undefined {
  for (const length of listWordLengths()) {
    const alphabets = ALPHABETS.filter((alphabet) => length * Math.log2(alphabet.length) >= MIN_BITS);
    for (const alphabet of alphabets) {
      const value = createValidValue(DUMMY_MARK + createRandomWord(alphabet, length), declaration);
      if (value !== undefined) return value;
    }
  }
  // No single part of the format has room for the mark and the word together: the mark may fit elsewhere.
  const values = ALPHABETS.flatMap((alphabet): readonly string[] => {
    const word = createRandomWord(alphabet, WORD_LENGTH);
    const value = createValidValue(word, declaration);
    return value === undefined ? [] : [insertMark(value, word, declaration) ?? value];
  });
  return values.find((value) => value.includes(DUMMY_MARK)) ?? values[0];
}

/** Returns the lengths with which a word has enough bits in at least one alphabet, the longest first. */
function listWordLengths(): readonly number[] {
  const minLength = Math.ceil(MIN_BITS / Math.log2(ALPHABETS[0].length));
  return Array.from({ length: WORD_LENGTH - minLength + 1 }, (_, index) => WORD_LENGTH - index);
}

/**
 * Returns a valid value that contains the word: after the prefix of the declared example (`sk-<key>`), or in the declared format.
 */
function createValidValue(word: string, declaration: DummyDeclaration): string | undefined {
  const prefix = /^([A-Za-z][\w-]{0,15}[-_])<[^<>]*>$/.exec(declaration.example ?? "")?.[1] ?? "";
  const values = [prefix + word, createValueInFormat(declaration.format, word)];
  return values.find((value) => value.includes(word) && isValidValue(value, declaration));
}

/** In longer values, of formats with a great minimal length, the search for a place for the mark would take too long. */
const MAX_SEARCHED_LENGTH = 500;

/** Puts the mark somewhere before or after the random word, in place of characters that fill up the format there. */
function insertMark(value: string, word: string, declaration: DummyDeclaration): string | undefined {
  if (value.length > MAX_SEARCHED_LENGTH) return undefined;
  const wordOffset = value.indexOf(word);
  const before = value.slice(0, wordOffset);
  const after = value.slice(wordOffset + word.length);
  const candidates = [
    ...listTextsWithMark(before).map((marked) => marked + word + after),
    ...listTextsWithMark(after).map((marked) => before + word + marked),
  ];
  return candidates.find((candidate) => isValidValue(candidate, declaration));
}

/** Returns copies of a text, each with the mark at another place. The mark replaces none, some or as many characters as it has. */
function listTextsWithMark(text: string): readonly string[] {
  const texts: string[] = [];
  for (let start = 0; start <= text.length; start += 1) {
    const lastEnd = Math.min(text.length, start + DUMMY_MARK.length);
    for (let end = start; end <= lastEnd; end += 1) texts.push(text.slice(0, start) + DUMMY_MARK + text.slice(end));
  }
  return texts;
}

function isValidValue(value: string, { name, format }: DummyDeclaration): boolean {
  return format === undefined || findFormatFault(format, value, name, createPatternWork()) === undefined;
}

/** Returns the value that the format makes of a word. The value may be invalid or lack the word. */
function createValueInFormat(format: ValueFormat | undefined, word: string): string {
  if (format?.kind !== "text") return word;
  const { prefixes, minLength, pattern } = format;
  if (pattern !== undefined) return pattern.sample(word, minLength);
  return ((prefixes[0] ?? "") + word).padEnd(minLength, "0");
}

function createRandomWord(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}
