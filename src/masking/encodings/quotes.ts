/**
 * Words in single quotes, as shells write them: a quote ends the quoted part, and stands escaped or in double quotes
 * before the next part begins: `'it'\''s'`, `'it'"'"'s'`, in zsh `'it'\'\''s'`, in dash `'it'"''"'s'`. Pure.
 */
import { MORE, type Decoder } from "./decoder.ts";

const DOUBLE = 0x22;
const SINGLE = 0x27;
const BACKSLASH = 0x5c;

export const quotes: Decoder = {
  starts: [SINGLE, DOUBLE, BACKSLASH],
  decode: (peek) => {
    const byte = peek(0);
    const literal = { length: 1, bytes: [byte] };
    if (byte !== BACKSLASH) return [{ length: 1, bytes: [], isShell: true }, literal];
    const next = peek(1);
    if (next === MORE) return undefined;
    return next === SINGLE ? [{ length: 2, bytes: [SINGLE], isShell: true }, literal] : [literal];
  },
};
