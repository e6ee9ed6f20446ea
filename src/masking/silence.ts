/**
 * How much of a secret may appear after a silence. A prompt must appear, and so must the end of a message of a protocol, for
 * which the other side waits, although both may begin a secret: at most a quarter of its characters, and at most seven; pure.
 */
import { isUtf8 } from "node:buffer";
import { ROOT, type Automaton } from "./automaton.ts";
import type { Beginning } from "./masking-model.ts";

/** The most characters of a secret that may appear. */
export const MOST_SHOWN = 7;
/** A secret has at least so many times as many characters as may appear of it. */
const PARTS = 4;
/** In bytes (UTF-8). */
const LONGEST_CHARACTER = 4;
/** In so many bytes are enough characters for {@link MOST_SHOWN} of them to appear. */
const DECISIVE_BYTES = PARTS * MOST_SHOWN * LONGEST_CHARACTER;

const ASCII = /^[\0-\u007f]*$/;

/** Returns true if no more than may appear has appeared of any secret that may have begun so. */
export function revealsLittle({ node, undecided }: Beginning, automaton: Automaton): boolean {
  // An escape has at least two characters for each byte, and its first one reveals nothing: `100%` must appear.
  const further = Math.floor(undecided / 2);
  for (let at = node; at !== ROOT; at = automaton.failureOf(at)) {
    if (automaton.depthOf(at) + further > automaton.leastShown(at)) return false;
  }
  return further <= automaton.leastShown(ROOT);
}

/** Returns the number of the first bytes of a pattern that may appear. @param pattern bytes as characters (Latin-1) */
export function shownOf(pattern: string): number {
  const first = pattern.slice(0, DECISIVE_BYTES);
  if (ASCII.test(first)) return quarterOf(first.length);
  const bytes = Buffer.from(first, "latin1");
  if (!isUtf8(bytes)) return quarterOf(bytes.length);
  const characters = Array.from(bytes.toString());
  return Buffer.byteLength(characters.slice(0, quarterOf(characters.length)).join(""));
}

/**
 * Returns the number of the first characters of a pattern in base64 that may appear. Each has six bits of the secret, and its
 * encoder has put up to eight further bits into the characters around the pattern, which always appear. One may appear of any
 * secret: six bits are less than a quarter of six characters.
 *
 * @param secretLength as of {@link lengthOf}
 */
export function shownOfBase64(pattern: string, secretLength: number): number {
  // The pattern may be a line of the secret's base64.
  const characters = Math.min(secretLength, (pattern.length * 6) / 8);
  const bits = (8 * characters) / PARTS - 8;
  return Math.min(MOST_SHOWN, Math.max(1, Math.floor(bits / 6)));
}

/** Returns the number of characters of a text, of bytes if it is not UTF-8; for a long text a number that is large enough. */
export function lengthOf(bytes: Uint8Array): number {
  const first = bytes.subarray(0, DECISIVE_BYTES);
  return isUtf8(first) ? Array.from(Buffer.from(first).toString()).length : first.length;
}

function quarterOf(length: number): number {
  return Math.min(MOST_SHOWN, Math.floor(length / PARTS));
}
