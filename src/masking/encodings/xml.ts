/** References in XML and HTML, by name and by number (XML 1.0, 4.1); pure. */
import { MORE, utf8, type Decoder } from "./decoder.ts";

const AMPERSAND = 0x26;
const SEMICOLON = 0x3b;
/** No code point. */
const NO_CODE = 0x110000;
/** The longest reference: `&#x0010ffff;`, with leading zeros. */
const LONGEST = 14;

const NAMES: ReadonlyMap<string, number> = new Map([
  ["amp", 0x26],
  ["lt", 0x3c],
  ["gt", 0x3e],
  ["quot", 0x22],
  ["apos", 0x27],
]);

export const xml: Decoder = {
  starts: [AMPERSAND],
  decode: (peek) => {
    let name = "";
    for (let index = 1; index < LONGEST; index++) {
      const byte = peek(index);
      if (byte === MORE) return undefined;
      if (byte === SEMICOLON) {
        const bytes = utf8(codeOf(name) ?? NO_CODE);
        return bytes === undefined ? [] : [{ length: index + 1, bytes }];
      }
      name += String.fromCharCode(byte);
      if (!/^(?:#(?:\d*|[xX][\da-fA-F]*)|[a-z]+)$/.test(name)) break;
    }
    return [{ length: 1, bytes: [AMPERSAND] }];
  },
};

function codeOf(name: string): number | undefined {
  const [, decimal, hexadecimal] = /^#(?:(\d+)|[xX]([\da-fA-F]+))$/.exec(name) ?? [];
  if (decimal !== undefined) return Number.parseInt(decimal, 10);
  return hexadecimal === undefined ? NAMES.get(name) : Number.parseInt(hexadecimal, 16);
}
