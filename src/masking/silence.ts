/**
 * Decides how much of a secret may appear if the program writes nothing for a while (a silence).
 *
 * A prompt may end with the beginning of a secret by chance, and so may a message of a protocol for which the other
 * side waits. Both must appear, although the rest of the secret might follow. So after a silence, the masker
 * (stream.ts) releases the bytes that it holds back, if they show at most a quarter of the characters of any secret,
 * and at most seven.
 */
import { isUtf8 } from "node:buffer";
import type { Automaton } from "./automaton.ts";
import { ROOT, type Beginning } from "./masking-model.ts";

export const MAX_SHOWN_CHARACTERS = 7;
/** One of this number of characters may appear: a quarter. */
const CHARACTERS_PER_SHOWN = 4;
/** In bytes. The length of the longest character in UTF-8. */
const MAX_UTF8_LENGTH = 4;
/**
 * In bytes. Of a longer secret, {@link MAX_SHOWN_CHARACTERS} may appear in any case, so that more bytes need not be
 * read.
 */
const DECISIVE_BYTES = CHARACTERS_PER_SHOWN * MAX_SHOWN_CHARACTERS * MAX_UTF8_LENGTH;

const ASCII = /^[\0-\u007f]*$/;

/** Returns true if of no secret that may have begun in this way more has been written than may appear. */
export function revealsLittle({ node, undecided }: Beginning, automaton: Automaton): boolean {
  // An escape has at least two characters for each byte. Its first character alone shows nothing, so that `100%`
  // appears.
  const undecidedBytes = Math.floor(undecided / 2);
  for (let shorter = node; shorter !== ROOT; shorter = automaton.findFailureNode(shorter)) {
    if (automaton.findDepth(shorter) + undecidedBytes > automaton.minShownLength(shorter)) return false;
  }
  return undecidedBytes <= automaton.minShownLength(ROOT);
}

/** Returns how many of the first bytes of a pattern may appear. @param pattern bytes as characters (Latin-1) */
export function measureShownLength(pattern: string): number {
  const beginning = pattern.slice(0, DECISIVE_BYTES);
  if (ASCII.test(beginning)) return maxShownLength(beginning.length);
  const bytes = Buffer.from(beginning, "latin1");
  if (!isUtf8(bytes)) return maxShownLength(bytes.length);
  const characters = Array.from(bytes.toString());
  return Buffer.byteLength(characters.slice(0, maxShownLength(characters.length)).join(""));
}

/**
 * Returns how many of the first characters of a pattern in base64 may appear. Each character shows six bits of the
 * secret. The characters around the pattern, which always appear, show up to eight bits more. One character of base64
 * may appear of any secret: its six bits are less than a quarter of the shortest secret, which has six characters.
 *
 * @param secretLength the result of {@link countCharacters} for the secret
 */
export function measureShownLengthOfBase64(pattern: string, secretLength: number): number {
  // The pattern may be only one line of the secret's base64, and have fewer bits than the secret.
  const characters = Math.min(secretLength, (pattern.length * 6) / 8);
  const shownBits = (8 * characters) / CHARACTERS_PER_SHOWN - 8;
  return Math.min(MAX_SHOWN_CHARACTERS, Math.max(1, Math.floor(shownBits / 6)));
}

/**
 * Counts the characters of a text in UTF-8, or the bytes if it is not UTF-8. Of a long text it reads only the first
 * bytes. Then the number is too low, but so high that {@link MAX_SHOWN_CHARACTERS} may appear.
 */
export function countCharacters(bytes: Uint8Array): number {
  const beginning = bytes.subarray(0, DECISIVE_BYTES);
  return isUtf8(beginning) ? Array.from(Buffer.from(beginning).toString()).length : beginning.length;
}

/** Returns how many characters may appear of a secret with this number of characters. */
function maxShownLength(length: number): number {
  return Math.min(MAX_SHOWN_CHARACTERS, Math.floor(length / CHARACTERS_PER_SHOWN));
}
