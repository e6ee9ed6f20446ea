/**
 * Replaces keys in the heads of answers by their dummies. A service may repeat in its answer what it was sent: a whole header, or
 * the key alone. In the address of a redirect the key is escaped:
 *
 *     Location: https://login.example.com/?next=%2Fv1%3Fkey%3Dsk-live-…
 *     X-Debug: Basic dXNlcjpzay1saXZlL…            the key after `user:`, in base64
 *
 * Each key is replaced by its dummy in the same form, since the dummy is what the client has sent. A text is decoded up to three
 * times; the depth of a search is the number of these decodings. The functions are pure.
 */
import { maskabilityOf } from "../masking/texts.ts";
import type { Route } from "./route.ts";

/** A key that the head of an answer must not contain. */
interface ReplaceableKey {
  readonly key: string;
  readonly dummy: string;
  /** One of these texts is in every base64 text that contains the key, alone or after a user name. */
  readonly base64Forms: readonly string[];
}

/** The keys to replace. The longest key comes first, since a shorter key may be a part of it. */
export type ReplaceableKeys = readonly ReplaceableKey[];

type KeyPair = readonly [key: string, dummy: string];

/** Prepares the keys that the head of an answer must not contain: all keys that are brokered now, and the key of the request. */
export class ReplaceableKeyCache {
  /** The result of the latest call, which is used again while the keys stay the same. */
  #cachedKeys: ReplaceableKeys = [];
  /** The keys and dummies of `#cachedKeys`. */
  #cachedPairs = "";

  /** @param requestKey the key of the request, which may have been rotated since, and its dummy */
  findKeys(routes: readonly Route[], keyOf: (name: string) => string, requestKey: KeyPair): ReplaceableKeys {
    const presentKeys = routes.map(({ name, dummy }): KeyPair => [keyOf(name), dummy]);
    const allKeys = [requestKey, ...presentKeys.filter(([key]) => key !== requestKey[0])];
    const pairs = allKeys.flat().join("\n");
    if (pairs !== this.#cachedPairs) {
      this.#cachedPairs = pairs;
      this.#cachedKeys = prepareKeys(allKeys);
    }
    return this.#cachedKeys;
  }
}

function prepareKeys(pairs: readonly KeyPair[]): ReplaceableKeys {
  // Values such as `x`, for services that need no key, are not replaced, since they are parts of other words.
  const maskedPairs = pairs.filter(([key]) => maskabilityOf(key) === "masked");
  return maskedPairs
    .toSorted(([key], [otherKey]) => otherKey.length - key.length)
    .map(([key, dummy]) => ({ key, dummy, base64Forms: listBase64Forms(key) }));
}

/**
 * Returns the base64 characters that the key alone determines. Base64 encodes three bytes as four characters. So these characters
 * depend on the number of bytes in front of the key, modulo 3, which gives three texts.
 */
function listBase64Forms(key: string): readonly string[] {
  const forms = [0, 1, 2].map((bytesBefore) => {
    const bytes = Buffer.from(" ".repeat(bytesBefore) + key, "latin1");
    const start = Math.ceil((bytesBefore * 8) / 6);
    const end = Math.floor((bytes.length * 8) / 6);
    return bytes.toString("base64").slice(start, end);
  });
  return [...new Set(forms.flatMap((form) => [form, toUrlAlphabet(form)]))];
}

/** Converts base64 to the alphabet for URLs (RFC 4648, section 5). */
function toUrlAlphabet(base64: string): string {
  return base64.replaceAll("+", "-").replaceAll("/", "_");
}

/** Services put an escaped address into another address, and that into a third one. Deeper levels do not occur. */
const MAX_DECODINGS = 3;
/** Matches an escaped byte. */
const ESCAPE = /%[\da-f]{2}/i;

/** Returns true if a key is in a text. The text may consist of several texts with line breaks between them. */
export function containsKey(text: string, replaceableKeys: ReplaceableKeys): boolean {
  let decoded = text;
  for (let count = 0; ; count += 1) {
    const hasKey = replaceableKeys.some(({ key, base64Forms: base64Texts }) =>
      [key, ...base64Texts].some((form) => decoded.includes(form)),
    );
    if (hasKey) return true;
    if (count === MAX_DECODINGS || !ESCAPE.test(decoded)) return false;
    decoded = decoded.replaceAll(/%([\da-f]{2})/gi, (_, digits: string) => decodeEscape(digits));
  }
}

/** Replaces each key in a text by its dummy, in the same form. */
export function replaceKeys(text: string, replaceableKeys: ReplaceableKeys): string {
  if (!containsKey(text, replaceableKeys)) return text;
  const depths = Array.from({ length: MAX_DECODINGS + 1 }, (_, depth) => depth);
  let result = text;
  for (const depth of depths) {
    for (const { key, dummy } of replaceableKeys) result = replaceDecoded(result, depth, createKeySearch(key, dummy));
  }
  // The deepest decoding comes first, since the padding of base64 may be escaped. The others are needed because a percent sign in
  // front of base64 looks like an escape: decoding would then change the first characters of the base64 text.
  for (const depth of depths.toReversed()) {
    result = replaceDecoded(result, depth, (decoded) => findInBase64(decoded, replaceableKeys));
  }
  return result;
}

/** A character of a decoded text, with the escapes by which the original text has it: `/` and `%2F`. */
interface DecodedCharacter {
  readonly original: string;
  readonly decoded: string;
}

/** Decodes a text `depth` times. */
function decodeCharacters(text: string, depth: number): readonly DecodedCharacter[] {
  let characters: readonly DecodedCharacter[] = text
    .split("")
    .map((character) => ({ original: character, decoded: character }));
  for (let count = 0; count < depth; count += 1) characters = decodeOnce(characters);
  return characters;
}

function decodeOnce(characters: readonly DecodedCharacter[]): readonly DecodedCharacter[] {
  const text = characters.map(({ decoded }) => decoded).join("");
  const parts: (readonly DecodedCharacter[])[] = [];
  let end = 0;
  for (const { index, 0: escape } of text.matchAll(/%[\da-f]{2}/gi)) {
    const originals = characters.slice(index, index + escape.length).map(({ original }) => original);
    const character = { original: originals.join(""), decoded: decodeEscape(escape.slice(1)) };
    parts.push(characters.slice(end, index), [character]);
    end = index + escape.length;
  }
  return [...parts, characters.slice(end)].flat();
}

/** @param digits the two digits of an escape */
function decodeEscape(digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 16));
}

/** A range of a decoded text, and the text that replaces it. */
interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Decodes a text `depth` times, replaces ranges of the result, and leaves everything else in the original as it was.
 *
 * @param find returns the ranges in ascending order
 */
function replaceDecoded(text: string, depth: number, find: (decoded: string) => readonly Replacement[]): string {
  if (depth > 0 && !ESCAPE.test(text)) return text;
  const characters = decodeCharacters(text, depth);
  const originalText = (start: number, end?: number): string =>
    characters
      .slice(start, end)
      .map(({ original }) => original)
      .join("");
  const replacements = find(characters.map(({ decoded }) => decoded).join(""));
  if (replacements.length === 0) return text;
  let result = "";
  let position = 0;
  for (const { start, end, text: replacement } of replacements) {
    const isEscaped = characters.slice(start, end).some(({ original, decoded }) => original !== decoded);
    result += originalText(position, start) + (isEscaped ? encodeURIComponent(replacement) : replacement);
    position = end;
  }
  return result + originalText(position);
}

/** Returns a function that finds a key in a text. */
function createKeySearch(key: string, dummy: string): (text: string) => readonly Replacement[] {
  return (text) => {
    const replacements: Replacement[] = [];
    for (let start = text.indexOf(key); start !== -1; start = text.indexOf(key, start + key.length)) {
      replacements.push({ start, end: start + key.length, text: dummy });
    }
    return replacements;
  };
}

/** Finds the base64 texts that contain keys. */
function findInBase64(text: string, replaceableKeys: ReplaceableKeys): readonly Replacement[] {
  return Array.from(text.matchAll(/[\w+/-]+={0,2}/g)).flatMap(({ index: start, 0: base64 }): readonly Replacement[] => {
    const changed = replaceKeysInBase64(base64, replaceableKeys);
    return changed === base64 ? [] : [{ start, end: start + base64.length, text: changed }];
  });
}

/**
 * Replaces the keys in a base64 text.
 *
 * @param base64 consecutive characters of base64. The first of them may belong to another word (`id-c2stbGl2ZS…`).
 */
function replaceKeysInBase64(base64: string, replaceableKeys: ReplaceableKeys): string {
  let text = base64;
  if (!replaceableKeys.some(({ base64Forms: base64Texts }) => base64Texts.some((form) => text.includes(form))))
    return text;
  // Base64 is decoded in groups of four characters. The first group may begin at each of the first four characters.
  for (let groupStart = 0; groupStart < 4; groupStart += 1) {
    const bytes = Buffer.from(text.slice(groupStart), "base64").toString("latin1");
    const keyOffsets = replaceableKeys.map(({ key }) => bytes.indexOf(key)).filter((offset) => offset !== -1);
    if (keyOffsets.length === 0) continue;
    // The groups in front of the first key stay as they are.
    const firstGroup = Math.floor(Math.min(...keyOffsets) / 3);
    const changedBytes = replaceableKeys.reduce(
      // A function, because `$` has a meaning in a replacement text.
      (remaining, { key, dummy }) => remaining.replaceAll(key, () => dummy),
      bytes.slice(firstGroup * 3),
    );
    const encoded = Buffer.from(changedBytes, "latin1").toString("base64");
    const isForUrls = /[-_]/.test(text);
    const isPadded = text.endsWith("=") || (!isForUrls && (text.length - groupStart) % 4 === 0);
    const padded = isPadded ? encoded : encoded.replace(/=+$/, "");
    text = text.slice(0, groupStart + firstGroup * 4) + (isForUrls ? toUrlAlphabet(padded) : padded);
  }
  return text;
}
