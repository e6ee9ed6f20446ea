/**
 * The bytes at which an escape may begin, and line breaks in wrapped base64: an encoder may have broken a secret's base64 into
 * lines of the same length, so that a long line of base64 characters may continue behind its end.
 */

/** A byte with which an escape may begin. The C code has the same number (native/generated/shared.h). */
export const ESCAPE = 1;
/** A byte that may end a line of base64, and has no other meaning to the search. */
export const LINE_BREAK = 2;

export const RETURN = 13;
export const NEWLINE = 10;
/** The shortest lines that are taken for wrapped base64: base64(1) and MIME have 76 columns, PEM and openssl 64. */
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
 * Counts the base64 characters directly before an index, up to {@link LINE_WIDTH}. If the index is that of the newline in `\r\n`,
 * it counts those before the `\r`.
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
 * Returns true if a line end that JSON escapes (`\n`, or either half of `\r\n`) begins at an index, and the line of base64 before
 * it is as long as the lines of wrapped base64.
 *
 * @param countBeforeBytes as of {@link countBase64Before}
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
 * Returns for each byte {@link ESCAPE}, {@link LINE_BREAK} or 0. Bytes that begin an escape only of bytes that no pattern contains
 * are 0, which is faster. At most nine bytes are not 0: search.inc compares so many.
 *
 * @param patternBytes by byte: 1 if a pattern contains it
 */
export function escapesFor(patternBytes: Uint8Array): Uint8Array {
  const contains = (character: string): boolean => patternBytes[codeOf(character)] === 1;
  const containsUnprintable = patternBytes.some((is, byte) => is === 1 && (byte < 0x20 || byte >= 0x7f));
  const rows: readonly (readonly [characters: string, isNeeded: boolean])[] = [
    ["\\%&", true],
    ["'\"", contains("'")],
    // Shells write unprintable bytes as `$'…'`.
    ["$", containsUnprintable],
    // Forms and queries write a space as a plus sign.
    ["+", contains(" ")],
    ["\r", contains("\n")],
  ];
  const escapes = new Uint8Array(256);
  escapes[NEWLINE] = LINE_BREAK;
  escapes[RETURN] = LINE_BREAK;
  for (const [characters, isNeeded] of rows) {
    if (isNeeded) for (const byte of Buffer.from(characters)) escapes[byte] = ESCAPE;
  }
  return escapes;
}
