/** Percent-encoding (RFC 3986, 2.1); pure. */

/** What is encoded, of bytes as Latin-1: by each of the encoders that are in use. */
const ENCODED: readonly RegExp[] = [
  // encodeURIComponent.
  /[^\w\-.!~*'()]/g,
  // RFC 3986 without exception: Go's QueryEscape, Python's quote_plus, PHP's rawurlencode.
  /[^\w\-.~]/g,
  // URLSearchParams and forms (WHATWG URL).
  /[^\w\-.*]/g,
  // Python's quote.
  /[^\w\-.~/]/g,
  // Go's PathEscape.
  /[^\w\-.~$&+:=@]/g,
  // encodeURI.
  /[^\w\-.!~*'();/?:@&=+$,#]/g,
  // The parts of a URL as `new URL` writes them (WHATWG URL): user and password, path, query.
  // oxlint-disable-next-line no-control-regex -- bytes
  /[\u0000-\u0020"#<>?`{}^|/:;=@[\\\]\u007F-\u00FF]/g,
  // oxlint-disable-next-line no-control-regex -- bytes
  /[\u0000-\u0020"#<>?`{}^\u007F-\u00FF]/g,
  // oxlint-disable-next-line no-control-regex -- bytes
  /[\u0000-\u0020"#<>'\u007F-\u00FF]/g,
];

/** What no encoder changes. */
const PLAIN = /^[\w\-.]*$/;

const UPPER = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`);
const LOWER = UPPER.map((code) => code.toLowerCase());

/**
 * The forms of bytes in URLs and forms, with hexadecimal digits of both cases; a space is `%20` and `+`.
 *
 * @param bytes a character for each byte
 */
export function percentForms(bytes: string): readonly string[] {
  if (PLAIN.test(bytes)) return [];
  const spaces = bytes.includes(" ");
  return ENCODED.flatMap((encoded) =>
    [UPPER, LOWER].flatMap((codes) => {
      const form = bytes.replaceAll(encoded, (byte) => codes[byte.charCodeAt(0)] ?? byte);
      return spaces ? [form, form.replaceAll("%20", "+")] : [form];
    }),
  );
}
