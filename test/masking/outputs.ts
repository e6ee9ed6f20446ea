/** Random secrets, and outputs in which they are escaped, cut off, changed and interrupted. */
import {
  array,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  option,
  record,
  string,
  type Arbitrary,
} from "fast-check";
import { MIXTURES } from "./mixtures.ts";

export interface SecretOutput {
  readonly values: readonly string[];
  readonly output: Buffer;
}

const unit = constantFrom(
  ...Array.from("aabbB70"),
  ...Array.from("\"'\\/+=&<> $%;#-"),
  ..."\n|\r|\r\n|\t|\u0001|\u007f|é|😀".split("|"),
);
const secretValue = oneof(
  string({ unit, minLength: 6, maxLength: 24 }),
  string({ unit: constantFrom("a", "b", "a", "b", "\r\n", "\r", "\n"), minLength: 6, maxLength: 12 }),
  string({ unit: constantFrom("a", "b", "'", '"', "\\"), minLength: 6, maxLength: 12 }),
  string({ unit: constantFrom("\\", "%", "&", "+", "$"), minLength: 6, maxLength: 12 }),
).filter((text) => text.trim().length >= 6);

/** A random sequence of parts of escapes. */
const escapeFragments = string({
  unit: constantFrom(
    ..."\\|\\\\|%|%25|%5c|%5C|%0d|%0D%0a|%27|%|&|&amp;|&#13;|&#x5c;|&#|$|$'|'|\"|+|\r|\n|\r\n|\\r|\\n|\\r\\n".split(
      "|",
    ),
    ..."\\u005c|\\u000d|\\u000D|\\u|\\x0d|\\x|\\015|\\U0000000d|\\u{d}|\\'|\\\"|\\$|a|b|ab|0|4|1|;|{|}|u|x".split("|"),
  ),
  maxLength: 10,
});

/** Quotes and escapes that shells put between the letters of a word. */
const insertedText = constantFrom(..."\"|'|''|\"\"|'\\''|'\"'\"'|\\|\\\\|+|%|$|\r|\n|\r\n|&".split("|"));

/** A secret that may be encoded, cut off, changed at its end or interrupted. */
function outputPiece(values: readonly string[]): Arbitrary<string> {
  return record({
    text: constantFrom(...values),
    mixture: oneof({ weight: 6, arbitrary: constantFrom(...Object.values(MIXTURES)) }, constant(undefined)),
    lineEnd: constantFrom(undefined, undefined, "\n", "\r", "\r\n"),
    choices: array(nat(), { minLength: 1, maxLength: 30 }),
    cut: option(nat(), { freq: 4 }),
    isLastWrong: integer({ min: 0, max: 5 }).map((number) => number === 0),
    inserted: option(record({ text: insertedText, at: nat(), isEncoded: boolean() }), { freq: 3 }),
  }).map(({ text, mixture, lineEnd, choices, cut, isLastWrong, inserted }) => {
    let turn = 0;
    const choose = (limit: number): number => (choices[turn++ % choices.length] ?? 0) % limit;
    const insert = (into: string): string => {
      if (inserted === undefined || inserted === null) return into;
      const position = inserted.at % (into.length + 1);
      return `${into.slice(0, position)}${inserted.text}${into.slice(position)}`;
    };
    let plainText = lineEnd === undefined ? text : text.replaceAll(/\r\n?|\n/g, lineEnd);
    if (inserted?.isEncoded === true) plainText = insert(plainText);
    if (isLastWrong) plainText = `${plainText.slice(0, -1)}~`;
    let encoded = mixture === undefined ? plainText : mixture(plainText, choose);
    if (inserted?.isEncoded === false) encoded = insert(encoded);
    return cut === null ? encoded : encoded.slice(0, cut % (encoded.length + 1));
  });
}

/** A secret in base64 with line breaks, which may be escaped. Some lines are too short for the search. */
function wrappedBase64(values: readonly string[]): Arbitrary<string> {
  return record({
    text: constantFrom(...values),
    front: integer({ min: 40, max: 90 }),
    width: constantFrom(58, 60, 64, 76),
    end: constantFrom("\n", "\r\n", "\r", String.raw`\n`, String.raw`\r\n`, String.raw`\\n`),
  }).map(({ text, front, width, end }) =>
    Buffer.from(`${"x".repeat(front)}${text}`)
      .toString("base64")
      .replaceAll(new RegExp(`.{${width}}`, "g"), `$&${end}`),
  );
}

export const secretOutput: Arbitrary<SecretOutput> = array(secretValue, { minLength: 1, maxLength: 4 }).chain(
  (values) =>
    record({
      values: constant(values),
      output: array(
        oneof(
          { weight: 4, arbitrary: outputPiece(values) },
          { weight: 2, arbitrary: escapeFragments },
          { weight: 2, arbitrary: string({ unit: constantFrom("a", "b"), maxLength: 9 }) },
          wrappedBase64(values),
        ),
        { minLength: 1, maxLength: 8 },
      ).map((pieces) => Buffer.from(pieces.join(""))),
    }),
);
