/** The bytes at which an escape, or a line break in base64, may begin; pure. */

export const ESCAPE = 1;
/** The byte may end a line of base64, and does nothing else. */
export const LINE_BREAK = 2;

export const RETURN = 13;
export const NEWLINE = 10;
/** The shortest lines that are taken for wrapped base64: base64(1) and MIME have 76 columns, PEM and openssl 64. */
export const LINE_WIDTH = 60;

const codeOf = (character: string): number => character.charCodeAt(0);
const BACKSLASH = codeOf("\\");
/** JSON writes line ends with them. */
const LETTERS = { n: codeOf("n"), r: codeOf("r") };

export const IS_BASE64 = new Uint8Array(256);
for (const code of Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"))
  IS_BASE64[code] = 1;

/** Counts the characters of base64 before `end`, up to {@link LINE_WIDTH}; `before` of them precede `bytes`. */
export function base64Before(bytes: Uint8Array, end: number, before: number): number {
  const last = bytes[end] === NEWLINE && end > 0 && bytes[end - 1] === RETURN ? end - 1 : end;
  let begin = last;
  while (begin > 0 && last - begin < LINE_WIDTH && IS_BASE64[bytes[begin - 1] ?? 0] === 1) begin -= 1;
  return Math.min(LINE_WIDTH, last - begin + (begin === 0 ? before : 0));
}

/** Returns true if the line of base64 before an escaped line end is as long as in wrapped base64. @param before as above */
export function endsEscapedLine(bytes: Uint8Array, escape: number, before: number): boolean {
  if (!isEscapedEnd(bytes, escape)) return false;
  const last = escape >= 2 && bytes[escape - 1] === LETTERS.r && isEscapedEnd(bytes, escape - 2) ? escape - 2 : escape;
  return base64Before(bytes, last, before) >= LINE_WIDTH;
}

function isEscapedEnd(bytes: Uint8Array, escape: number): boolean {
  const letter = bytes[escape + 1];
  return bytes[escape] === BACKSLASH && (letter === LETTERS.n || letter === LETTERS.r);
}

/** Returns for each byte {@link ESCAPE}, {@link LINE_BREAK} or 0: nine bytes in all, which search.inc compares. @param occurs marks the bytes of which patterns consist */
export function escapesOf(occurs: Uint8Array): Uint8Array {
  const has = (character: string): boolean => occurs[codeOf(character)] === 1;
  const rows: readonly (readonly [string, boolean])[] = [
    ["\\%&", true],
    ["'\"", has("'")],
    // Shells write unprintable bytes as `$'…'`.
    ["$", occurs.some((is, byte) => is === 1 && (byte < 0x20 || byte >= 0x7f))],
    ["+", has(" ")],
    ["\r", has("\n")],
  ];
  const escapes = new Uint8Array(256);
  escapes[NEWLINE] = LINE_BREAK;
  escapes[RETURN] = LINE_BREAK;
  for (const [characters, isNeeded] of rows) {
    if (isNeeded) for (const byte of Buffer.from(characters)) escapes[byte] = ESCAPE;
  }
  return escapes;
}
