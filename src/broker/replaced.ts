/**
 * Keys in the heads of answers. A service may repeat what it was sent: a header as it came, the key alone, or either in the
 * address of a redirect, where it is escaped. Each is replaced by what the client has sent; pure.
 */
import { maskabilityOf } from "../masking/texts.ts";
import type { Route } from "./route.ts";

/** A key that no answer's head may hold. */
interface ReplacedKey {
  readonly key: string;
  readonly dummy: string;
  /** Texts of which base64 has one wherever the key is encoded, alone or behind a user name. */
  readonly inBase64: readonly string[];
}

/** The longest key first. */
export type Replaced = readonly ReplacedKey[];

type KeyPair = readonly [key: string, dummy: string];

/** Knows the keys that no answer's head may hold: each that is brokered now, and that of the request. */
export class ReplacedKeys {
  /** The result of the last call: keys seldom change. */
  #last: Replaced = [];
  #pairs = "";

  /** @param used the key of the request, and its dummy */
  of(routes: readonly Route[], keyOf: (name: string) => string, used: KeyPair): Replaced {
    const present = routes.map(({ name, dummy }): KeyPair => [keyOf(name), dummy]);
    const all = [used, ...present.filter(([key]) => key !== used[0])];
    const pairs = all.flat().join("\n");
    if (pairs !== this.#pairs) {
      this.#pairs = pairs;
      this.#last = replacedKeys(all);
    }
    return this.#last;
  }
}

function replacedKeys(pairs: readonly KeyPair[]): Replaced {
  // Placeholders for services that need no key, such as `x`, are parts of other words.
  const hidden = pairs.filter(([key]) => maskabilityOf(key) === "masked");
  return hidden
    .toSorted(([key], [otherKey]) => otherKey.length - key.length)
    .map(([key, dummy]) => ({ key, dummy, inBase64: textsInBase64(key) }));
}

/** Returns the characters that a key determines alone, for each number of bytes that may be in front of it. */
function textsInBase64(key: string): readonly string[] {
  const texts = [0, 1, 2].map((before) => {
    const bytes = Buffer.from(" ".repeat(before) + key, "latin1");
    return bytes.toString("base64").slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
  });
  return [...new Set(texts.flatMap((text) => [text, urlAlphabet(text)]))];
}

/** Both alphabets of RFC 4648. */
function urlAlphabet(text: string): string {
  return text.replaceAll("+", "-").replaceAll("/", "_");
}

/** As often as services escape an address within another one. */
const MOST_DECODINGS = 3;
const ESCAPE = /%[\da-f]{2}/i;

/** Returns true if a key is in a text, or in one of several that line breaks separate. */
export function holdsKey(text: string, replaced: Replaced): boolean {
  let decoded = text;
  for (let count = 0; ; count += 1) {
    if (replaced.some(({ key, inBase64 }) => [key, ...inBase64].some((form) => decoded.includes(form)))) return true;
    if (count === MOST_DECODINGS || !ESCAPE.test(decoded)) return false;
    decoded = decoded.replaceAll(/%([\da-f]{2})/gi, (_, digits: string) => character(digits));
  }
}

/** A character of a text, with the escapes by which it is written. */
interface WrittenCharacter {
  readonly written: string;
  readonly read: string;
}

/** Replaces each key in a text by its dummy, in the same form. */
export function withoutKeys(text: string, replaced: Replaced): string {
  if (!holdsKey(text, replaced)) return text;
  const depths = Array.from({ length: MOST_DECODINGS + 1 }, (_, depth) => depth);
  let rest = text;
  for (const depth of depths) {
    for (const { key, dummy } of replaced) rest = exchange(rest, depth, occurrences(key, dummy));
  }
  // The deepest first, since the padding of base64 may be escaped. A percent sign in front of base64 looks like an escape.
  for (const depth of depths.toReversed()) rest = exchange(rest, depth, (read) => occurrencesInBase64(read, replaced));
  return rest;
}

function decodedCharacters(text: string, depth: number): readonly WrittenCharacter[] {
  let characters: readonly WrittenCharacter[] = text.split("").map((one) => ({ written: one, read: one }));
  for (let count = 0; count < depth; count += 1) characters = decodeOnce(characters);
  return characters;
}

function decodeOnce(characters: readonly WrittenCharacter[]): readonly WrittenCharacter[] {
  const read = characters.map((one) => one.read).join("");
  const parts: (readonly WrittenCharacter[])[] = [];
  let end = 0;
  for (const { index, 0: escape } of read.matchAll(/%[\da-f]{2}/gi)) {
    const written = characters.slice(index, index + escape.length).map((one) => one.written);
    parts.push(characters.slice(end, index), [{ written: written.join(""), read: character(escape.slice(1)) }]);
    end = index + escape.length;
  }
  return [...parts, characters.slice(end)].flat();
}

/** @param digits of an escape */
function character(digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 16));
}

/** A part of a text, and what stands there instead. */
interface Exchanged {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Replaces parts of a text, which are found in what it is once it was decoded so many times. */
function exchange(text: string, depth: number, find: (read: string) => readonly Exchanged[]): string {
  if (depth > 0 && !ESCAPE.test(text)) return text;
  const characters = decodedCharacters(text, depth);
  const written = (from: number, to?: number): string =>
    characters
      .slice(from, to)
      .map((one) => one.written)
      .join("");
  const found = find(characters.map(({ read }) => read).join(""));
  if (found.length === 0) return text;
  let result = "";
  let end = 0;
  for (const { from, to, text: other } of found) {
    const isEscaped = characters.slice(from, to).some((one) => one.written !== one.read);
    result += written(end, from) + (isEscaped ? encodeURIComponent(other) : other);
    end = to;
  }
  return result + written(end);
}

function occurrences(key: string, dummy: string): (text: string) => readonly Exchanged[] {
  return (text) => {
    const found: Exchanged[] = [];
    for (let from = text.indexOf(key); from !== -1; from = text.indexOf(key, from + key.length)) {
      found.push({ from, to: from + key.length, text: dummy });
    }
    return found;
  };
}

function occurrencesInBase64(text: string, replaced: Replaced): readonly Exchanged[] {
  return Array.from(text.matchAll(/[\w+/-]+={0,2}/g)).flatMap(({ index: from, 0: run }): readonly Exchanged[] => {
    const other = withoutKeysInBase64(run, replaced);
    return other === run ? [] : [{ from, to: from + run.length, text: other }];
  });
}

/** @param run characters of base64, of which a part may be something else in front of it */
function withoutKeysInBase64(run: string, replaced: Replaced): string {
  let text = run;
  if (!replaced.some(({ inBase64 }) => inBase64.some((form) => text.includes(form)))) return text;
  for (let before = 0; before < 4; before += 1) {
    const bytes = Buffer.from(text.slice(before), "base64").toString("latin1");
    const at = replaced.map(({ key }) => bytes.indexOf(key)).filter((index) => index !== -1);
    if (at.length === 0) continue;
    // In front of the key, nothing changes.
    const first = Math.floor(Math.min(...at) / 3);
    const rest = replaced.reduce((left, { key, dummy }) => left.replaceAll(key, () => dummy), bytes.slice(first * 3));
    const encoded = Buffer.from(rest, "latin1").toString("base64");
    const isForUrls = /[-_]/.test(text);
    const isPadded = text.endsWith("=") || (!isForUrls && (text.length - before) % 4 === 0);
    const padded = isPadded ? encoded : encoded.replace(/=+$/, "");
    text = text.slice(0, before + first * 4) + (isForUrls ? urlAlphabet(padded) : padded);
  }
  return text;
}
