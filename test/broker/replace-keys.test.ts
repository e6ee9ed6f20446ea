/** Keys are replaced in the heads of answers, in each form in which services repeat them. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReplaceableKeyCache, replaceKeys as replaceKeysIn } from "../../src/broker/replace-keys.ts";
import { caseCount } from "../helpers/seed.ts";
import { createRoutes } from "./routes.ts";

const KEY = "ghp_real0a1b2c3d4e5f";
const DUMMY = "ghp_sophia-012345678";
/** This key contains the other key. */
const LONGER_KEY = `${KEY}/+~?=longer`;
const LONGER_DUMMY = "sophia-longer-01234567";

const [openai, anthropic] = createRoutes("https://api.example.test");
const routes = [
  { ...openai, dummy: DUMMY },
  { ...anthropic, dummy: LONGER_DUMMY },
];
const cache = new ReplaceableKeyCache();
const replaceableKeys = cache.findKeys(routes, (name) => (name === openai.name ? KEY : LONGER_KEY), [KEY, DUMMY]);
const replaceKeys = (text: string): string => replaceKeysIn(text, replaceableKeys);

const base64 = (text: string): string => Buffer.from(text, "latin1").toString("base64");

describe("the broker replaces a key by its dummy", () => {
  test.each([
    ["as it is", (key: string) => `Bearer ${key}.`],
    ["twice", (key: string) => `${key}${key}`],
    ["in Basic credentials", (key: string) => `Basic ${base64(`user:${key}`)}`],
    [
      "in escaped Basic credentials",
      (key: string) => `/a?b=${encodeURIComponent(`Basic ${base64(`u:${key}`)}`)}&c=%20`,
    ],
    [
      "in base64 for URLs, behind text of the same characters",
      (key: string) => {
        return `v1-${Buffer.from(`{"k":"${key}"}`).toString("base64url")}`;
      },
    ],
    ["once in base64, once as it is", (key: string) => `${key} ${base64(`us:${key}`)}`],
    ["within the same word", (key: string) => `${base64(`abc:${key}!!`)}${key}`],
  ])("in each place and form: %s", (_, form) => {
    expect(replaceKeys(form(KEY))).toBe(form(DUMMY));
    expect(replaceKeys(form(LONGER_KEY))).toBe(form(LONGER_DUMMY));
  });

  test.each([
    "",
    "text/html; charset=utf-8",
    DUMMY,
    base64(`u:${DUMMY}`),
    `__cf_bm=${base64("x".repeat(100))}; path=/; HttpOnly`,
    "/a%20b?c=%zz&d=%25",
    KEY.slice(1),
  ])("and changes no other text: %j", (text) => expect(replaceKeys(text)).toBe(text));
});

test("the broker replaces the keys of the latest call, and after a swap the former key, too", () => {
  expect(
    cache.findKeys(routes, () => "sk-first-0123456789", ["sk-first-0123456789", DUMMY]).map(({ key }) => key),
  ).toEqual(["sk-first-0123456789"]);
  const swapped = cache.findKeys(routes, () => "sk-second-0123456789", ["sk-first-0123456789", DUMMY]);
  expect(new Set(swapped.map(({ key }) => key))).toEqual(new Set(["sk-first-0123456789", "sk-second-0123456789"]));
});

/** Returns everything that can be decoded from a text. It decodes in another way than the program does. */
function decodingsOf(text: string): readonly string[] {
  const texts = [text];
  for (let level = 0; level < 3; level += 1) {
    const last = texts.at(-1) ?? "";
    texts.push(
      last.replaceAll(/%([\da-f]{2})/gi, (_, digits: string) => Buffer.from(digits, "hex").toString("latin1")),
    );
  }
  const runs = texts.flatMap((one) => one.match(/[\w+/-]+/g) ?? []);
  const decoded = runs.flatMap((run) =>
    [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), "base64").toString("latin1")),
  );
  return [...texts, ...decoded];
}

const surroundingText = fc.stringMatching(/^[ -~]{0,12}$/);
const key = fc.constantFrom(KEY, LONGER_KEY);
const encodedKey = fc.tuple(surroundingText, key, surroundingText).map((parts) => base64(parts.join("")));
const form = fc.oneof(
  key,
  encodedKey,
  encodedKey.map((text) => text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")),
);
const escapedForm = fc
  .tuple(form, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), fc.integer({ min: 0, max: 3 }))
  .map(([text, which, levels]) => {
    let written = text;
    for (let level = 0; level < levels; level += 1) {
      written = Array.from(written, (one, index) => {
        const isEscaped = which[index % which.length] === true || /[^\w.~-]/.test(one);
        return isEscaped ? `%${one.charCodeAt(0).toString(16)}` : one;
      }).join("");
    }
    return written;
  });

test("no key is left in a text, whatever surrounds the key and however it is escaped", { timeout: 240_000 }, () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(surroundingText, escapedForm), { minLength: 1, maxLength: 3 }),
      surroundingText,
      (parts, end) => {
        const text = parts.flat().join("") + end;
        const left = decodingsOf(replaceKeys(text)).filter((one) => one.includes(KEY));
        expect(left).toEqual([]);
      },
    ),
    { numRuns: caseCount(2000, 20_000) },
  );
});
