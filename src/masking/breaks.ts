/** Line breaks in base64, which encoders put anywhere into a value; pure. */

/** The shortest lines that are taken for wrapped base64; base64(1) and MIME have 76 columns, PEM and openssl 64. */
export const LINE_WIDTH = 60;
export const RETURN = 13;
export const NEWLINE = 10;

/** Marks the characters of base64 and base64url. */
export const IS_BASE64 = new Uint8Array(256);
for (const character of Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"))
  IS_BASE64[character] = 1;

/**
 * Returns how many characters of base64 stand before `end`, {@link LINE_WIDTH} at most; a carriage return before a
 * newline is part of the line break.
 *
 * @param run so many stand before `at`
 */
export function runBefore(bytes: Uint8Array, end: number, at: number, run: number): number {
  const last = bytes[end] === NEWLINE && end > at && bytes[end - 1] === RETURN ? end - 1 : end;
  let begin = last;
  while (begin > at && last - begin < LINE_WIDTH && IS_BASE64[bytes[begin - 1] ?? 0] === 1) begin -= 1;
  return Math.min(LINE_WIDTH, last - begin + (begin === at ? run : 0));
}
