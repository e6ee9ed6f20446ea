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
import { maskingOf } from "../../src/masking/masking.ts";
import { patternsOf } from "../../src/masking/patterns.ts";
import { searches } from "./compiled.ts";
import { secretOutput } from "./outputs.ts";
import { occurrences, reference, shownBefore } from "./reference.ts";
import { cases, SEED } from "../helpers/seed.ts";

/** Few letters: secrets that overlap, nest and repeat themselves. */
const narrow = string({ unit: constantFrom("a", "b"), minLength: 6, maxLength: 14 });
/** Characters that encoders change. */
const special = string({
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
const token = string({
  unit: constantFrom(...Array.from("abcdefghijklmnopqrstuvwxyzABCDEF0123456789-_")),
  minLength: 16,
  maxLength: 60,
});
const json = record({ type: constant("service_account"), key: special, list: array(token, { maxLength: 3 }) }).map(
  (value) => JSON.stringify(value),
);

const secrets = array(oneof(narrow, special, token, json), { minLength: 1, maxLength: 6 }).map((values) =>
  values.map((value, index) => ({ name: `SECRET_${index}`, value })),
);

/** A text of whole forms, beginnings and ends of them, and bytes of all kinds, with the places where it is cut. */
const scenario = secrets.chain((given) => {
  const patterns = [...patternsOf(given).keys()].map((one) => Buffer.from(one, "latin1"));
  const bytes = uint8Array({ maxLength: 12 }).map((one) => Buffer.from(one));
  const letters = string({ unit: constantFrom("a", "b"), maxLength: 12 }).map((one) => Buffer.from(one));
  const pieces =
    patterns.length === 0
      ? [bytes, letters]
      : [
          bytes,
          letters,
          constantFrom(...patterns),
          tuple(constantFrom(...patterns), nat(), nat()).map(([one, from, to]) =>
            one.subarray(from % one.length, 1 + (to % one.length)),
          ),
        ];
  return record({
    given: constant(given),
    text: array(oneof(...pieces), { maxLength: 30 }).map((all) => Buffer.concat(all)),
    cuts: array(integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 20 }),
  });
});

/** Cuts a text into chunks of these lengths, repeated. */
function chunks(text: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const length = (cuts[turn % cuts.length] ?? 0) + (turn % cuts.length === 0 ? 1 : 0);
    out.push(Buffer.from(text.subarray(at, at + length)));
    at += length;
  }
  return out;
}

test.each(searches)("however a text is cut, its secrets are masked and nothing else is changed: by %s", (_, make) => {
  assert(
    property(scenario, ({ given, text, cuts }) => {
      const masker = make(given).stream();
      const out = chunks(text, cuts).map((chunk) => Buffer.from(masker.push(chunk)));
      out.push(Buffer.from(masker.flush()));
      const expected = reference(text, patternsOf(given).keys());
      expect(Buffer.concat(out).toString("latin1")).toBe(expected.toString("latin1"));
      expect(masker.heldCharacters).toBe(0);
    }),
    { seed: SEED, numRuns: cases(60, 300) },
  );
});

test.each(searches)("in base64 with line breaks a secret is found at any position: by %s", (_, make) => {
  const wrapped = record({
    value: token,
    front: string({ maxLength: 120 }),
    behind: string({ maxLength: 120 }),
    width: constantFrom(60, 64, 72, 76),
    end: constantFrom("\n", "\r\n", String.raw`\n`, String.raw`\r\n`),
    cuts: array(integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 20 }),
  });
  assert(
    property(wrapped, ({ value, front, behind, width, end, cuts }) => {
      const masking = make([{ name: "TOKEN", value }]);
      const masked = (text: string): string => {
        let masker = masking.stream();
        const out = chunks(Buffer.from(text), cuts).map((chunk, index) => {
          if (index % 3 === 2) masker = masking.stream(masker.state());
          return Buffer.from(masker.push(chunk));
        });
        return Buffer.concat([...out, masker.flush()]).toString();
      };
      const text = Buffer.from(`${front}${value}${behind}`).toString("base64");
      const lines = masked(text.replaceAll(new RegExp(`.{${width}}`, "g"), `$&${end}`));
      expect(lines.replaceAll(end, "")).toBe(masked(text));
      expect(lines).toContain("***");
    }),
    { seed: SEED, numRuns: cases(100, 500) },
  );
});

test("no byte of a match is released before its end has come", () => {
  assert(
    property(scenario, ({ given, text }) => {
      const expected = reference(text, patternsOf(given).keys()).toString("latin1");
      const masker = maskingOf(given).stream();
      let out = "";
      for (const chunk of chunks(text, [0])) {
        out += Buffer.from(masker.push(chunk)).toString("latin1");
        if (!expected.startsWith(out)) expect(out).toBe(expected.slice(0, out.length));
      }
    }),
    { seed: SEED, numRuns: cases(60, 300) },
  );
});

test("another masker continues a stream as the first one would, with silences or without", () => {
  assert(
    property(scenario, nat(), ({ given, text, cuts }, kinds) => {
      const masking = maskingOf(given);
      const [one, others] = [masking.stream(), { current: masking.stream() }];
      chunks(text, cuts).forEach((chunk, index) => {
        const [expected, passed] = [one, others.current].map((masker) =>
          Buffer.from(masker.push(chunk)).toString("hex"),
        );
        expect(passed).toBe(expected);
        if (((kinds >> (index % 16)) & 1) === 1) {
          expect(Buffer.from(others.current.flush()).toString("hex")).toBe(Buffer.from(one.flush()).toString("hex"));
        }
        const { keptBytes, ...rest } = others.current.state();
        others.current = masking.stream({ ...rest, keptBytes: Buffer.from(keptBytes) });
        expect(others.current.heldCharacters).toBe(one.heldCharacters);
      });
      expect(Buffer.from(others.current.flush()).toString("hex")).toBe(Buffer.from(one.flush()).toString("hex"));
    }),
    { seed: SEED, numRuns: cases(100, 500) },
  );
});

/** Returns the number of characters in the first bytes of a pattern, with one that is not whole; of bytes if it is no text. */
function charactersIn(pattern: string, length: number): number {
  const bytes = Buffer.from(pattern, "latin1");
  if (!isUtf8(bytes)) return length;
  return bytes.subarray(0, length).filter((byte) => (byte & 0xc0) !== 0x80).length;
}

/** Also with escapes; most secrets are written in parts of few bytes. */
const slowly = record({
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

test.each(searches)("after silences a quarter of a secret has appeared, and seven characters: by %s", (_, make) => {
  let beginnings = 0;
  assert(
    property(slowly, ({ output: { given, text }, cuts, hasSilence }) => {
      const masker = make(given).stream();
      const forms = patternsOf(given);
      const found = occurrences(text, forms.keys());
      let out = "";
      let position = 0;
      chunks(text, cuts).forEach((chunk, index) => {
        out += Buffer.from(masker.push(chunk)).toString("latin1");
        position += chunk.length;
        if (hasSilence[index % hasSilence.length] === false || !masker.revealsLittle) return;
        const masked = position - masker.state().lengthSinceMask;
        out += Buffer.from(masker.flush()).toString("latin1");
        for (const one of found) {
          if (one.start >= position || one.end <= position) continue;
          // What goes on behind a mask may be the rest of a secret.
          expect(one.start).toBeGreaterThanOrEqual(masked);
          const shown = charactersIn(one.pattern, shownBefore(text, one, position));
          expect(shown).toBeLessThanOrEqual(Math.min(7, charactersIn(one.pattern, one.pattern.length) / 4));
          if (shown > 0) beginnings += 1;
        }
      });
      out += Buffer.from(masker.flush()).toString("latin1");
      for (const pattern of forms.keys()) expect(out.includes(pattern)).toBe(false);
      if (found.length === 0) expect(out).toBe(text.toString("latin1"));
    }),
    { seed: SEED, numRuns: cases(60, 300) },
  );
  // Otherwise the cases show nothing.
  expect(beginnings).toBeGreaterThan(20);
});
