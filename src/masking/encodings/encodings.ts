/**
 * The encodings in which the search finds secrets, such as JSON and URLs, each with its decoder. docs/masking.md lists
 * them for users. Base64 is not decoded: it has patterns of its own (patterns.ts).
 */
import { NEWLINE, RETURN } from "../escapes.ts";
import { backslash } from "./backslash.ts";
import { hexDigit, literalUnit, nestDecoders, PENDING, utf8, type Decoder } from "./decoder.ts";

export type EncodingName = "plain" | "JSON" | "URL" | "base64" | "shell" | "XML";

/** A way in which a program may write a text. */
export interface Encoding {
  readonly name: EncodingName;
  /** The bytes with which an escape can begin. At these the search calls the decoder. */
  readonly starts: readonly number[];
  /**
   * Bytes of `starts` that are never plain text in front of an escape. Either an encoder would have escaped such a
   * byte, or the candidate that began at it already reads it in both ways.
   */
  readonly neverPlain: ReadonlySet<number>;
  /** Undefined for plain text, and for {@link WRAPPED} and {@link LINE_ENDS}, which steps.ts decodes itself. */
  readonly decoder: Decoder | undefined;
}

const SPACE = 0x20;
const DOUBLE_QUOTE = 0x22;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const SINGLE_QUOTE = 0x27;
const PLUS = 0x2b;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;

/**
 * Decodes `pass%20word`, as in components and paths of URLs (RFC 3986, 2.1). A percent sign may also stand for itself,
 * because `new URL` does not escape it.
 */
const percent: Decoder = {
  starts: [PERCENT],
  decode: (peek) => {
    const [firstDigit, secondDigit] = [peek(1), peek(2)];
    if (firstDigit === PENDING) return undefined;
    const high = hexDigit(firstDigit);
    if (high === -1) return [literalUnit(PERCENT)];
    if (secondDigit === PENDING) return undefined;
    const low = hexDigit(secondDigit);
    if (low === -1) return [literalUnit(PERCENT)];
    return [{ length: 3, bytes: [high * 16 + low] }, literalUnit(PERCENT)];
  },
};

/** Decodes `pass+word%21`, as in forms and queries (WHATWG URL, 5.1). A plus sign stands for a space or for itself. */
const form: Decoder = {
  starts: [PERCENT, PLUS],
  decode: (peek) => (peek(0) === PERCENT ? percent.decode(peek) : [{ length: 1, bytes: [SPACE] }, literalUnit(PLUS)]),
};

/**
 * Decodes words that shells write in single quotes. Within these, no escape is possible. So for a single quote, a shell
 * closes the quotes, writes the quote in another way, and opens quotes again: `'it'\''s'`, `'it'"'"'s'`. zsh writes two
 * quotes as `'it'\'\''s'`, and dash as `'it'"''"'s'`.
 */
const singleQuotes: Decoder = {
  starts: [SINGLE_QUOTE, DOUBLE_QUOTE, BACKSLASH],
  decode: (peek) => {
    const byte = peek(0);
    if (byte !== BACKSLASH) return [{ length: 1, bytes: [], isShell: true }, literalUnit(byte)];
    const next = peek(1);
    if (next === PENDING) return undefined;
    if (next !== SINGLE_QUOTE) return [literalUnit(BACKSLASH)];
    return [{ length: 2, bytes: [SINGLE_QUOTE], isShell: true }, literalUnit(BACKSLASH)];
  },
};

/** In bytes. The longest reference has leading zeros: `&#x0010ffff;`. */
const MAX_REFERENCE_LENGTH = 14;
const NAMED_REFERENCES: ReadonlyMap<string, number> = new Map(
  Object.entries({ amp: 0x26, lt: 0x3c, gt: 0x3e, quot: 0x22, apos: 0x27 }),
);
/** Matches a reference or the beginning of one, without its `&`. */
const BEGINNING_OF_REFERENCE = /^(?:#(?:\d*|[xX][\da-fA-F]*)|[a-z]+)$/;

/** Decodes references in XML and HTML, by name and by number (XML 1.0, 4.1): `&amp;`, `&#38;`, `&#x26;`. */
const xml: Decoder = {
  starts: [AMPERSAND],
  decode: (peek) => {
    let reference = "";
    for (let index = 1; index < MAX_REFERENCE_LENGTH; index++) {
      const byte = peek(index);
      if (byte === PENDING) return undefined;
      if (byte === SEMICOLON) {
        const code = parseReference(reference);
        const bytes = code === undefined ? undefined : utf8(code);
        return bytes === undefined ? [] : [{ length: index + 1, bytes }];
      }
      reference += String.fromCharCode(byte);
      if (!BEGINNING_OF_REFERENCE.test(reference)) break;
    }
    return [literalUnit(AMPERSAND)];
  },
};

/** Returns the code point of `amp`, `#38` or `#x26`; undefined for any other text. */
function parseReference(reference: string): number | undefined {
  const [, decimal, hexadecimal] = /^#(?:(\d+)|[xX]([\da-fA-F]+))$/.exec(reference) ?? [];
  if (decimal !== undefined) return Number.parseInt(decimal, 10);
  return hexadecimal === undefined ? NAMED_REFERENCES.get(reference) : Number.parseInt(hexadecimal, 16);
}

/** @param levels the decoders, the outermost first: for JSON in a URL, that of URLs and then that of JSON */
function createEncoding(name: EncodingName, ...levels: readonly Decoder[]): Encoding {
  const decoder = nestDecoders(levels);
  return { name, starts: decoder.starts, neverPlain: new Set(decoder.starts), decoder };
}

/** Text without escapes. */
export const PLAIN: Encoding = { name: "plain", starts: [], neverPlain: new Set(), decoder: undefined };
/** Text with CR LF or CR as line ends. Patterns have LF. */
export const LINE_ENDS: Encoding = {
  name: "plain",
  starts: [RETURN],
  neverPlain: new Set([RETURN]),
  decoder: undefined,
};
/** Base64 that an encoder has broken into lines. */
export const WRAPPED: Encoding = {
  name: "base64",
  starts: [RETURN, NEWLINE],
  neverPlain: new Set(),
  decoder: undefined,
};

export const JSON_STRING: Encoding = createEncoding("JSON", backslash);

/** All encodings but {@link PLAIN}, in the order of `enum encoding` in native/masking/decode.inc. */
export const ENCODINGS: readonly Encoding[] = [
  LINE_ENDS,
  WRAPPED,
  // JSON, and JSON as a string in JSON, as in a log of logs.
  JSON_STRING,
  createEncoding("JSON", backslash, backslash),
  createEncoding("JSON", backslash, backslash, backslash),
  // Double quotes and backslashes stand for themselves within single quotes, and may be plain text.
  { ...createEncoding("shell", singleQuotes), neverPlain: new Set([SINGLE_QUOTE]) },
  createEncoding("URL", form),
  // A URL in a URL, and JSON in one.
  createEncoding("URL", percent, form),
  createEncoding("URL", percent, backslash),
  createEncoding("URL", form, backslash),
  createEncoding("XML", xml),
  createEncoding("XML", xml, backslash),
];
