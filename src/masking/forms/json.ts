/** JSON: what stands between the quotes of a string; pure. */
import { either, same, type Encoder } from "./encoder.ts";

export const json: Encoder = (character) => JSON.stringify(character).slice(1, -1);

/** Each UTF-16 code unit as `\u00e9`. */
const lower: Encoder = (character) => unicodeEscapes(character, (digits) => digits);
const upper: Encoder = (character) => unicodeEscapes(character, (digits) => digits.toUpperCase());

/** `/` as `\/`. */
function withSlash(encoder: Encoder): Encoder {
  return either(/^\/$/, () => String.raw`\/`, encoder);
}

// oxlint-disable-next-line no-control-regex -- all but ASCII
const NOT_ASCII = /[^\u0000-\u007F]/;
// oxlint-disable-next-line no-control-regex -- what a string in JSON may not hold as it is (RFC 8259, 7)
const ESCAPED = /["\\\u0000-\u001F]/;

export const JSON_ENCODERS: readonly Encoder[] = [
  // JSON.stringify, jq, serde_json; the same as a string in JSON.
  json,
  (character) => json(json(character)),
  // PHP with JSON_UNESCAPED_UNICODE, and as it is by default.
  withSlash(json),
  withSlash(either(NOT_ASCII, lower, json)),
  // Python, jq -a; as a string in JSON.
  either(NOT_ASCII, lower, json),
  (character) => json(either(NOT_ASCII, lower, json)(character)),
  either(NOT_ASCII, upper, json),
  // Go, Rails.
  either(/[<>&\u2028\u2029]/, lower, json),
  // Flask and Django in HTML.
  // oxlint-disable-next-line no-control-regex -- all but ASCII
  either(/[<>&']|[^\u0000-\u007F]/, lower, json),
  // PHP with JSON_HEX_*.
  // oxlint-disable-next-line no-control-regex -- all but ASCII
  withSlash(either(/[<>&'"]/, upper, either(NOT_ASCII, lower, json))),
  // Gson.
  either(/[<>&'=\u2028\u2029]/, lower, json),
  // The same with the other digits: any encoder may write any character as a number.
  either(/[<>&]/, upper, json),
  either(/[<>&']/, upper, json),
  either(/\//, lower, json),
  either(/\//, upper, json),
  ...[lower, upper].flatMap((code) => [
    either(ESCAPED, code, same),
    either(ESCAPED, code, either(NOT_ASCII, code, same)),
    // oxlint-disable-next-line no-control-regex -- control characters are what is escaped
    either(/[\u0000-\u001F]/, code, json),
    code,
  ]),
  // JSON in JSON with a slash escaped in it; JSON three times, as in a log of logs.
  (character) => json(withSlash(json)(character)),
  (character) => json(json(json(character))),
  // System.Text.Json.
  // oxlint-disable-next-line no-control-regex -- all but ASCII
  either(/[<>&'"+`\u007F]|[^\u0000-\u007F]/, upper, json),
];

function unicodeEscapes(text: string, form: (digits: string) => string): string {
  let escapes = "";
  for (let unit = 0; unit < text.length; unit++) {
    escapes += String.raw`\u` + form(text.charCodeAt(unit).toString(16).padStart(4, "0"));
  }
  return escapes;
}
