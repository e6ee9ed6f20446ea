/** The bytes at which an escape, or a line break in base64, may begin; pure. */

/** The byte may begin an escape. */
export const ESCAPE = 1;
/** The byte may end a line of base64, and nothing else. */
export const LINE_BREAK = 2;

const codeOf = (character: string): number => character.charCodeAt(0);

/** Returns for each byte {@link ESCAPE}, {@link LINE_BREAK} or 0. @param occurs marks the bytes of which patterns consist */
export function escapesOf(occurs: Uint8Array): Uint8Array {
  const has = (character: string): boolean => occurs[codeOf(character)] === 1;
  const rows: readonly (readonly [string, boolean])[] = [
    ["\\%&", true],
    ["'\"", has("'")],
    // Shells write all that is not printable as `$'…'`.
    ["$", occurs.some((is, byte) => is === 1 && (byte < 0x20 || byte >= 0x7f))],
    ["+", has(" ")],
    ["\r", has("\n")],
  ];
  const escapes = new Uint8Array(256);
  escapes[codeOf("\n")] = LINE_BREAK;
  escapes[codeOf("\r")] = LINE_BREAK;
  for (const [characters, isNeeded] of rows) {
    if (isNeeded) for (const byte of Buffer.from(characters)) escapes[byte] = ESCAPE;
  }
  return escapes;
}
