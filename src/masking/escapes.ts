/**
 * Decides at which bytes of a stream the search must look for something else than plain text. These are bytes with
 * which an escape may begin, such as the backslash of JSON, and line breaks after a long line of base64: an encoder may
 * have broken the base64 of a secret into lines of the same length, so that it continues on the next line.
 */

/**
 * The mark of a byte with which an escape may begin. The C code gets the same number from native/generated/shared.h.
 */
export const ESCAPE = 1;
/** The mark of a byte that may end a line of base64, and has no other meaning for the search. */
export const LINE_BREAK = 2;

/** Carriage return, CR. */
export const RETURN = 13;
/** Line feed, LF. */
export const NEWLINE = 10;
/**
 * The minimal length of a line that may be a part of base64. base64(1) and MIME have 76 columns, PEM and openssl 64.
 */
export const LINE_WIDTH = 60;

const codeOf = (character: string): number => character.charCodeAt(0);
const BACKSLASH = codeOf("\\");
/** JSON writes line ends as `\n` and `\r\n`. */
const ESCAPED_NEWLINE = codeOf("n");
const ESCAPED_RETURN = codeOf("r");

/** By byte: 1 for the characters of both alphabets of base64 (RFC 4648), without the padding. */
export const IS_BASE64 = new Uint8Array(256);
for (const code of Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"))
  IS_BASE64[code] = 1;

/**
 * Counts the base64 characters directly before an index, up to {@link LINE_WIDTH}. At the LF of CR LF, it counts those
 * before the CR.
 *
 * @param countBeforeBytes the number of base64 characters directly before the first of the bytes
 */
export function countBase64Before(bytes: Uint8Array, index: number, countBeforeBytes: number): number {
  const isSecondHalf = bytes[index] === NEWLINE && index > 0 && bytes[index - 1] === RETURN;
  const end = isSecondHalf ? index - 1 : index;
  let start = end;
  while (start > 0 && end - start < LINE_WIDTH && IS_BASE64[bytes[start - 1] ?? 0] === 1) start -= 1;
  const count = end - start + (start === 0 ? countBeforeBytes : 0);
  return Math.min(LINE_WIDTH, count);
}

/**
 * Returns true if an escaped line end of JSON (`\n`, or either half of `\r\n`) begins at an index, after a line of
 * base64 that is long enough to continue on the next line.
 *
 * @param countBeforeBytes see {@link countBase64Before}
 */
export function endsEscapedLine(bytes: Uint8Array, index: number, countBeforeBytes: number): boolean {
  if (!isEscapedLineEnd(bytes, index)) return false;
  const isSecondHalf = index >= 2 && bytes[index - 1] === ESCAPED_RETURN && isEscapedLineEnd(bytes, index - 2);
  return countBase64Before(bytes, isSecondHalf ? index - 2 : index, countBeforeBytes) >= LINE_WIDTH;
}

function isEscapedLineEnd(bytes: Uint8Array, index: number): boolean {
  const letter = bytes[index + 1];
  return bytes[index] === BACKSLASH && (letter === ESCAPED_NEWLINE || letter === ESCAPED_RETURN);
}

/**
 * Returns for each byte the mark {@link ESCAPE} or {@link LINE_BREAK}, or 0. A byte has no mark if all its escapes
 * stand for bytes that no pattern contains, because each mark slows the search. At most nine bytes have one: search.inc
 * compares so many.
 *
 * @param patternBytes by byte: 1 if a pattern contains it
 */
export function escapesFor(patternBytes: Uint8Array): Uint8Array {
  const contains = (character: string): boolean => patternBytes[codeOf(character)] === 1;
  const containsUnprintable = patternBytes.some((mark, byte) => mark === 1 && (byte < 0x20 || byte >= 0x7f));
  const escapeStarts: readonly (readonly [characters: string, isNeeded: boolean])[] = [
    ["\\%&", true],
    // Shells write a quote within quotes in other quotes, or with a backslash.
    ["'\"", contains("'")],
    // Shells write unprintable bytes as `$'…'`.
    ["$", containsUnprintable],
    // Forms and queries write a space as a plus sign.
    ["+", contains(" ")],
    // A program may write CR, or CR LF, for a line end of a secret.
    ["\r", contains("\n")],
  ];
  const escapes = new Uint8Array(256);
  escapes[NEWLINE] = LINE_BREAK;
  escapes[RETURN] = LINE_BREAK;
  for (const [characters, isNeeded] of escapeStarts) {
    if (isNeeded) for (const byte of Buffer.from(characters)) escapes[byte] = ESCAPE;
  }
  return escapes;
}
