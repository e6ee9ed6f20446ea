import { isUtf8 } from "node:buffer";
import {
  assert,
  array,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
  string,
  tuple,
  uint8Array,
} from "fast-check";
import { expect, test } from "vitest";
import { createMasking } from "../../src/masking/masking.ts";
import { createPatterns } from "../../src/masking/patterns.ts";
import { SEARCHES } from "./compiled-search.ts";
import { secretOutput } from "./outputs.ts";
import { findOccurrences, maskReference, countShownBytes } from "./reference.ts";
import { caseCount, SEED } from "../helpers/seed.ts";

/** Values of two letters, which overlap, nest and repeat themselves. */
const repetitiveValue = string({ unit: constantFrom("a", "b"), minLength: 6, maxLength: 14 });
/** Values with characters that encoders change. */
const specialValue = string({
  unit: constantFrom(
    "a",
    "B",
    "7",
    '"',
    "'",
    "\\",
    "/",
    "+",
    "=",
    "&",
    "<",
    " ",
    "$",
    "%",
    "é",
    "€",
    "😀",
    "\n",
    "\r\n",
  ),
  minLength: 6,
  maxLength: 40,
});
const tokenValue = string({
  unit: constantFrom(...Array.from("abcdefghijklmnopqrstuvwxyzABCDEF0123456789-_")),
  minLength: 16,
  maxLength: 60,
});
const jsonValue = record({
  type: constant("service_account"),
  key: specialValue,
  list: array(tokenValue, { maxLength: 3 }),
}).map((value) => JSON.stringify(value));

const secrets = array(oneof(repetitiveValue, specialValue, tokenValue, jsonValue), { minLength: 1, maxLength: 6 }).map(
  (values) => values.map((value, index) => ({ name: `SECRET_${index}`, value })),
);

/**
 * A text of whole forms of secrets, of their beginnings and ends, and of bytes of all kinds, with the lengths into which it is
 * cut.
 */
const scenario = secrets.chain((given) => {
  const patterns = [...createPatterns(given).keys()].map((pattern) => Buffer.from(pattern, "latin1"));
  const bytes = uint8Array({ maxLength: 12 }).map((numbers) => Buffer.from(numbers));
  const letters = string({ unit: constantFrom("a", "b"), maxLength: 12 }).map((text) => Buffer.from(text));
  const pieces =
    patterns.length === 0
      ? [bytes, letters]
      : [
          bytes,
          letters,
          constantFrom(...patterns),
          tuple(constantFrom(...patterns), nat(), nat()).map(([pattern, from, to]) =>
            pattern.subarray(from % pattern.length, 1 + (to % pattern.length)),
          ),
        ];
  return record({
    given: constant(given),
    text: array(oneof(...pieces), { maxLength: 30 }).map((all) => Buffer.concat(all)),
    cuts: array(integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 20 }),
  });
});

/**
 * Cuts a text into chunks of these lengths, which are repeated. The first length of each round is one longer, so that a round of
 * zeros ends, too.
 */
function splitText(text: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const out: Buffer[] = [];
  for (let offset = 0, turn = 0; offset < text.length; turn++) {
    const length = (cuts[turn % cuts.length] ?? 0) + (turn % cuts.length === 0 ? 1 : 0);
    out.push(Buffer.from(text.subarray(offset, offset + length)));
    offset += length;
  }
  return out;
}

test.each(SEARCHES)(
  "wherever a text is cut, its secrets are masked, and nothing else is changed, by the search in %s",
  (_, create) => {
    assert(
      property(scenario, ({ given, text, cuts }) => {
        const masker = create(given).stream();
        const out = splitText(text, cuts).map((chunk) => Buffer.from(masker.push(chunk)));
        out.push(Buffer.from(masker.flush()));
        const expected = maskReference(text, createPatterns(given).keys());
        expect(Buffer.concat(out).toString("latin1")).toBe(expected.toString("latin1"));
        expect(masker.heldCharacters).toBe(0);
      }),
      { seed: SEED, numRuns: caseCount(60, 300) },
    );
  },
);

test.each(SEARCHES)(
  "a secret in base64 with line breaks is masked at any position by the search in %s",
  (_, create) => {
    const wrappedToken = record({
      value: tokenValue,
      front: string({ maxLength: 120 }),
      behind: string({ maxLength: 120 }),
      width: constantFrom(60, 64, 72, 76),
      end: constantFrom("\n", "\r\n", String.raw`\n`, String.raw`\r\n`),
      cuts: array(integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 20 }),
    });
    assert(
      property(wrappedToken, ({ value, front, behind, width, end, cuts }) => {
        const masking = create([{ name: "TOKEN", value }]);
        const maskText = (text: string): string => {
          let masker = masking.stream();
          const out = splitText(Buffer.from(text), cuts).map((chunk, index) => {
            if (index % 3 === 2) masker = masking.stream(masker.state());
            return Buffer.from(masker.push(chunk));
          });
          return Buffer.concat([...out, masker.flush()]).toString();
        };
        const text = Buffer.from(`${front}${value}${behind}`).toString("base64");
        const lines = maskText(text.replaceAll(new RegExp(`.{${width}}`, "g"), `$&${end}`));
        expect(lines.replaceAll(end, "")).toBe(maskText(text));
        expect(lines).toContain("***");
      }),
      { seed: SEED, numRuns: caseCount(100, 500) },
    );
  },
);

test("no byte of a secret is passed on before the secret is complete", () => {
  assert(
    property(scenario, ({ given, text }) => {
      const expected = maskReference(text, createPatterns(given).keys()).toString("latin1");
      const masker = createMasking(given).stream();
      let out = "";
      for (const chunk of splitText(text, [0])) {
        out += Buffer.from(masker.push(chunk)).toString("latin1");
        if (!expected.startsWith(out)) expect(out).toBe(expected.slice(0, out.length));
      }
    }),
    { seed: SEED, numRuns: caseCount(60, 300) },
  );
});

test("a masker that continues a stream masks like the first masker, with silences or without", () => {
  assert(
    property(scenario, nat(), ({ given, text, cuts }, kinds) => {
      const masking = createMasking(given);
      const [firstMasker, continuingMasker] = [masking.stream(), { current: masking.stream() }];
      splitText(text, cuts).forEach((chunk, index) => {
        const [expected, passed] = [firstMasker, continuingMasker.current].map((masker) =>
          Buffer.from(masker.push(chunk)).toString("hex"),
        );
        expect(passed).toBe(expected);
        if (((kinds >> (index % 16)) & 1) === 1) {
          expect(Buffer.from(continuingMasker.current.flush()).toString("hex")).toBe(
            Buffer.from(firstMasker.flush()).toString("hex"),
          );
        }
        const { keptBytes, ...rest } = continuingMasker.current.state();
        continuingMasker.current = masking.stream({ ...rest, keptBytes: Buffer.from(keptBytes) });
        expect(continuingMasker.current.heldCharacters).toBe(firstMasker.heldCharacters);
      });
      expect(Buffer.from(continuingMasker.current.flush()).toString("hex")).toBe(
        Buffer.from(firstMasker.flush()).toString("hex"),
      );
    }),
    { seed: SEED, numRuns: caseCount(100, 500) },
  );
});

/**
 * Counts the characters in the first bytes of a pattern, including a character that is not complete. If it is no text, counts
 * bytes.
 */
function countCharacters(pattern: string, length: number): number {
  const bytes = Buffer.from(pattern, "latin1");
  if (!isUtf8(bytes)) return length;
  return bytes.subarray(0, length).filter((byte) => (byte & 0xc0) !== 0x80).length;
}

/** Outputs, with and without escapes, in which most secrets are written in parts of a few bytes. */
const slowOutput = record({
  output: oneof(
    scenario.map(({ given, text }) => ({ given, text })),
    secretOutput.map(({ values, output }) => ({
      given: values.map((value, index) => ({ name: `SECRET_${index}`, value })),
      text: output,
    })),
  ),
  cuts: array(integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 20 }),
  hasSilence: array(boolean(), { minLength: 1, maxLength: 20 }),
});

test.each(SEARCHES)(
  "silences show at most a quarter of a secret, and at most seven characters, with the search in %s",
  (_, create) => {
    let shownBeginnings = 0;
    assert(
      property(slowOutput, ({ output: { given, text }, cuts, hasSilence }) => {
        const masker = create(given).stream();
        const forms = createPatterns(given);
        const occurrences = findOccurrences(text, forms.keys());
        let out = "";
        let position = 0;
        splitText(text, cuts).forEach((chunk, index) => {
          out += Buffer.from(masker.push(chunk)).toString("latin1");
          position += chunk.length;
          if (hasSilence[index % hasSilence.length] === false || !masker.revealsLittle) return;
          const maskEnd = position - masker.state().lengthSinceMask;
          out += Buffer.from(masker.flush()).toString("latin1");
          for (const occurrence of occurrences) {
            const { start, end, pattern } = occurrence;
            if (start >= position || end <= position) continue;
            // The bytes that directly follow a mask may be the rest of a secret.
            expect(start).toBeGreaterThanOrEqual(maskEnd);
            const shownCharacters = countCharacters(pattern, countShownBytes(text, occurrence, position));
            expect(shownCharacters).toBeLessThanOrEqual(Math.min(7, countCharacters(pattern, pattern.length) / 4));
            if (shownCharacters > 0) shownBeginnings += 1;
          }
        });
        out += Buffer.from(masker.flush()).toString("latin1");
        for (const pattern of forms.keys()) expect(out.includes(pattern)).toBe(false);
        if (occurrences.length === 0) expect(out).toBe(text.toString("latin1"));
      }),
      { seed: SEED, numRuns: caseCount(60, 300) },
    );
    // The cases show nothing if hardly any secret is shown in part.
    expect(shownBeginnings).toBeGreaterThan(20);
  },
);
