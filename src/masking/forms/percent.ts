/** Percent-encoding (RFC 3986, 2.1) of UTF-8; pure. */
import { either, same, type Encoder } from "./encoder.ts";
import { json } from "./json.ts";

const lower: Encoder = (character) => Array.from(Buffer.from(character), (byte) => `%${hex(byte)}`).join("");
const upper: Encoder = (character) => lower(character).toUpperCase();
const plus: Encoder = () => "+";

/** What is encoded in a component of a URL, beyond what is not ASCII. */
const IN_COMPONENT: readonly RegExp[] = [
  // encodeURIComponent.
  /[^\w\-.!~*'()]/,
  // RFC 3986 without exception: Go's QueryEscape, Python's quote_plus, PHP's rawurlencode.
  /[^\w\-.~]/,
  // Older ones, that encode the tilde.
  /[^\w\-.]/,
  // URLSearchParams and forms (WHATWG URL).
  /[^\w\-.*]/,
];

/** The same, and what is encoded elsewhere. */
const ENCODED: readonly RegExp[] = [
  ...IN_COMPONENT,
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

/** In a URL that is encoded in another; a string of JSON in a URL. */
export const TWICE_ENCODERS: readonly Encoder[] = [upper, lower].flatMap((code) =>
  IN_COMPONENT.flatMap((set) => {
    const once = either(set, code, same);
    const all = (text: string): string => Array.from(text, once).join("");
    return [(character: string) => all(once(character)), (character: string) => all(json(character))];
  }),
);

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
