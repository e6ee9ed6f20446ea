/** Percent-encoding (RFC 3986, 2.1) of UTF-8; pure. */
import { either, same, type Encoder } from "./encoder.ts";

const lower: Encoder = (character) => Array.from(Buffer.from(character), (byte) => `%${hex(byte)}`).join("");
const upper: Encoder = (character) => lower(character).toUpperCase();
const plus: Encoder = () => "+";

/** What is encoded, beyond what is not ASCII. */
const ENCODED: readonly RegExp[] = [
  // encodeURIComponent.
  /[^\w\-.!~*'()]/,
  // RFC 3986 without exception: Go's QueryEscape, Python's quote_plus, PHP's rawurlencode.
  /[^\w\-.~]/,
  // URLSearchParams and forms (WHATWG URL).
  /[^\w\-.*]/,
  // Python's quote.
  /[^\w\-.~/]/,
  // Go's PathEscape.
  /[^\w\-.~$&+:=@]/,
  // encodeURI.
  /[^\w\-.!~*'();/?:@&=+$,#]/,
  // The parts of a URL as `new URL` writes them (WHATWG URL): user and password, path, query.
  // oxlint-disable-next-line no-control-regex -- all but ASCII
  /[^!$%&'()*+,\-.\w~]/,
  /[^!$%&'()*+,\-./:;=@[\\\]|\w~]/,
  /[^!$%&()*+,\-./:;=?@[\\\]^`{|}\w~]/,
];

/** With hexadecimal digits of both cases; a space is `%20` and `+`. */
export const PERCENT_ENCODERS: readonly Encoder[] = ENCODED.flatMap((set) =>
  [upper, lower].flatMap((code) => [either(set, code, same), either(/ /, plus, either(set, code, same))]),
);

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
