/**
 * Decides how much of a secret may appear after a silence.
 *
 * A prompt may end with the beginning of a secret by chance, and so may a message of a protocol, for whose end the other side
 * waits. Both must appear, although more of the secret might follow. So once nothing has arrived for a while, the masker passes on
 * what it holds back, if at most a quarter of any secret's characters appears by that, and at most seven.
 */
import { isUtf8 } from "node:buffer";
import type { Automaton } from "./automaton.ts";
import { ROOT, type Beginning } from "./masking-model.ts";

export const MAX_SHOWN_CHARACTERS = 7;
/** At most one of this number of characters may appear. */
const SHOWN_FRACTION = 4;
const MAX_UTF8_LENGTH = 4;
/** Even if each character has the most bytes, this number of bytes is enough for {@link MAX_SHOWN_CHARACTERS} to appear. */
const DECISIVE_BYTES = SHOWN_FRACTION * MAX_SHOWN_CHARACTERS * MAX_UTF8_LENGTH;

const ASCII = /^[\0-\u007f]*$/;

/** Returns true if of each secret that may have begun so, at most what may appear has been written. */
export function revealsLittle({ node, undecided }: Beginning, automaton: Automaton): boolean {
  // An escape has at least two characters for each byte, and its first one reveals nothing: `100%` must appear.
  const undecidedBytes = Math.floor(undecided / 2);
  for (let shorter = node; shorter !== ROOT; shorter = automaton.failureOf(shorter)) {
    if (automaton.depthOf(shorter) + undecidedBytes > automaton.minShownLength(shorter)) return false;
  }
  return undecidedBytes <= automaton.minShownLength(ROOT);
}

/** Returns the number of the first bytes of a pattern that may appear. @param pattern bytes as characters (Latin-1) */
export function shownLengthOf(pattern: string): number {
  const beginning = pattern.slice(0, DECISIVE_BYTES);
  if (ASCII.test(beginning)) return maxShownOf(beginning.length);
  const bytes = Buffer.from(beginning, "latin1");
  if (!isUtf8(bytes)) return maxShownOf(bytes.length);
  const characters = Array.from(bytes.toString());
  return Buffer.byteLength(characters.slice(0, maxShownOf(characters.length)).join(""));
}

/**
 * Returns the number of the first characters of a pattern in base64 that may appear. Each character has six bits of the secret.
 * The encoder has put up to eight further bits of the secret into the characters around the pattern, which always appear. One
 * character may appear of any secret: its six bits are less than a quarter of six characters.
 *
 * @param secretLength as of {@link countCharacters}
 */
export function shownLengthOfBase64(pattern: string, secretLength: number): number {
  // The pattern may be one line of the secret's base64, and so have fewer bits than the secret.
  const characters = Math.min(secretLength, (pattern.length * 6) / 8);
  const shownBits = (8 * characters) / SHOWN_FRACTION - 8;
  return Math.min(MAX_SHOWN_CHARACTERS, Math.max(1, Math.floor(shownBits / 6)));
}

/**
 * Counts the characters of a text in UTF-8, or the bytes if it is not UTF-8. It reads only the first bytes of a long text: the
 * number is too small then, but large enough for {@link MAX_SHOWN_CHARACTERS} to appear.
 */
export function countCharacters(bytes: Uint8Array): number {
  const beginning = bytes.subarray(0, DECISIVE_BYTES);
  return isUtf8(beginning) ? Array.from(Buffer.from(beginning).toString()).length : beginning.length;
}

function maxShownOf(length: number): number {
  return Math.min(MAX_SHOWN_CHARACTERS, Math.floor(length / SHOWN_FRACTION));
}
