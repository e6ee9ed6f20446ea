/** Percent-encoding (RFC 3986, 2.1) and forms (WHATWG URL, 5.1); pure. */
import { hexDigit, MORE, type Decoder, type Peek, type Unit } from "./decoder.ts";

const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

/** A percent sign also stands for itself: `new URL` keeps those that it finds. */
function percentUnits(peek: Peek): readonly Unit[] | undefined {
  const literal: Unit = { length: 1, bytes: [PERCENT] };
  const [one, two] = [peek(1), peek(2)];
  if (one === MORE) return undefined;
  const high = hexDigit(one);
  if (high === -1) return [literal];
  if (two === MORE) return undefined;
  const low = hexDigit(two);
  return low === -1 ? [literal] : [{ length: 3, bytes: [high * 16 + low] }, literal];
}

/** Components and paths of URLs. */
export const percent: Decoder = { starts: [PERCENT], decode: percentUnits };

/** Forms and queries: a plus sign is a space, or itself. */
export const form: Decoder = {
  starts: [PERCENT, PLUS],
  decode: (peek) => {
    if (peek(0) === PERCENT) return percentUnits(peek);
    return [
      { length: 1, bytes: [SPACE] },
      { length: 1, bytes: [PLUS] },
    ];
  },
};
