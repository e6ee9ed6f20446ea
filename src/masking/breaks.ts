/** Line breaks in base64, which encoders put anywhere into a value; pure. */

/** The shortest lines that are taken for wrapped base64; base64(1) and MIME have 76 columns, PEM and openssl 64. */
export const LINE_WIDTH = 60;
export const RETURN = 13;
export const NEWLINE = 10;

/** Which bytes are characters of base64 or base64url. */
export const IS_BASE64 = new Uint8Array(256);
for (const character of Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"))
  IS_BASE64[character] = 1;

/**
 * The first line break from `at` on that ends so many characters of base64; the length where there is none. A carriage
 * return counts in front of a newline and at the end.
 *
 * @param run how many such characters come before `at`
 */
export function nextBreak(bytes: Uint8Array, at: number, run: number, width: number): number {
  const { length } = bytes;
  for (let from = at; from < length;) {
    const newline = bytes.indexOf(NEWLINE, from);
    const next = newline === -1 ? length : newline;
    const end = next > at && bytes[next - 1] === RETURN ? next - 1 : next;
    if (end === length) break;
    if (runBefore(bytes, end, at, run) >= width) return end;
    from = next + 1;
  }
  return length;
}

/** How many characters of base64 come before `end`, as far as that counts. @param run so many come before `at` */
export function runBefore(bytes: Uint8Array, end: number, at: number, run: number): number {
  let begin = end;
  while (begin > at && end - begin < LINE_WIDTH && IS_BASE64[bytes[begin - 1] ?? 0] === 1) begin -= 1;
  return Math.min(LINE_WIDTH, end - begin + (begin === at ? run : 0));
}
