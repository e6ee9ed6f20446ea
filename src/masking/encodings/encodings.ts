/** The encodings in which secrets are found, besides plain text; pure. */
import { backslash } from "./backslash.ts";
import { hexDigit, MORE, nested, utf8, type Decoder, type Unit } from "./decoder.ts";

export type EncodingName = "plain" | "JSON" | "URL" | "base64" | "shell" | "XML";

export interface Encoding {
  readonly name: EncodingName;
  /** The bytes with which an escape can begin. */
  readonly starts: readonly number[];
  /** The bytes among them that an encoder always escapes, or that stand for themselves in one reading. */
  readonly special: ReadonlySet<number>;
  /** undefined for {@link WRAPPED} and {@link LINE_ENDS}, which the finder reads itself. */
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

/** Components and paths of URLs (RFC 3986, 2.1). A percent sign also stands for itself: `new URL` keeps it. */
const percent: Decoder = {
  starts: [PERCENT],
  decode: (peek) => {
    const literal: Unit = { length: 1, bytes: [PERCENT] };
    const [one, two] = [peek(1), peek(2)];
    if (one === MORE) return undefined;
    const high = hexDigit(one);
    if (high === -1) return [literal];
    if (two === MORE) return undefined;
    const low = hexDigit(two);
    return low === -1 ? [literal] : [{ length: 3, bytes: [high * 16 + low] }, literal];
  },
};

/** Forms and queries (WHATWG URL, 5.1): a plus sign is a space, or itself. */
const form: Decoder = {
  starts: [PERCENT, PLUS],
  decode: (peek) =>
    peek(0) === PERCENT ? percent.decode(peek) : [SPACE, PLUS].map((byte) => ({ length: 1, bytes: [byte] })),
};

/** Words in single quotes; shells write a quote as `'it'\''s'`, `'it'"'"'s'`, zsh `'it'\'\''s'`, dash `'it'"''"'s'`. */
const quotes: Decoder = {
  starts: [SINGLE_QUOTE, DOUBLE_QUOTE, BACKSLASH],
  decode: (peek) => {
    const byte = peek(0);
    const literal = { length: 1, bytes: [byte] };
    if (byte !== BACKSLASH) return [{ length: 1, bytes: [], isShell: true }, literal];
    const next = peek(1);
    if (next === MORE) return undefined;
    return next === SINGLE_QUOTE ? [{ length: 2, bytes: [SINGLE_QUOTE], isShell: true }, literal] : [literal];
  },
};

/** The longest reference of XML: `&#x0010ffff;`, with leading zeros. */
const LONGEST_REFERENCE = 14;
const REFERENCES: ReadonlyMap<string, number> = new Map(
  Object.entries({ amp: 0x26, lt: 0x3c, gt: 0x3e, quot: 0x22, apos: 0x27 }),
);

/** References in XML and HTML, by name and by number (XML 1.0, 4.1). */
const xml: Decoder = {
  starts: [AMPERSAND],
  decode: (peek) => {
    let name = "";
    for (let index = 1; index < LONGEST_REFERENCE; index++) {
      const byte = peek(index);
      if (byte === MORE) return undefined;
      if (byte === SEMICOLON) {
        const code = referenceCode(name);
        const bytes = code === undefined ? undefined : utf8(code);
        return bytes === undefined ? [] : [{ length: index + 1, bytes }];
      }
      name += String.fromCharCode(byte);
      if (!/^(?:#(?:\d*|[xX][\da-fA-F]*)|[a-z]+)$/.test(name)) break;
    }
    return [{ length: 1, bytes: [AMPERSAND] }];
  },
};

function referenceCode(name: string): number | undefined {
  const [, decimal, hexadecimal] = /^#(?:(\d+)|[xX]([\da-fA-F]+))$/.exec(name) ?? [];
  if (decimal !== undefined) return Number.parseInt(decimal, 10);
  return hexadecimal === undefined ? REFERENCES.get(name) : Number.parseInt(hexadecimal, 16);
}

function encoding(name: EncodingName, ...levels: readonly Decoder[]): Encoding {
  const decoder = nested(levels);
  return { name, starts: decoder.starts, special: new Set(decoder.starts), decoder };
}

export const PLAIN: Encoding = { name: "plain", starts: [], special: new Set(), decoder: undefined };
/** Other line ends than the secret's: CR LF and CR. */
export const LINE_ENDS: Encoding = { name: "plain", starts: [13], special: new Set([13]), decoder: undefined };
export const WRAPPED: Encoding = { name: "base64", starts: [13, 10], special: new Set(), decoder: undefined };

export const JSON_STRING: Encoding = encoding("JSON", backslash);

export const ENCODINGS: readonly Encoding[] = [
  LINE_ENDS,
  WRAPPED,
  // JSON, and JSON as a string in JSON, as in a log of logs.
  JSON_STRING,
  encoding("JSON", backslash, backslash),
  encoding("JSON", backslash, backslash, backslash),
  // In single quotes a double quote and a backslash stand for themselves.
  { ...encoding("shell", quotes), special: new Set([SINGLE_QUOTE]) },
  encoding("URL", form),
  // A URL in a URL, and JSON in one.
  encoding("URL", percent, form),
  encoding("URL", percent, backslash),
  encoding("URL", form, backslash),
  encoding("XML", xml),
  encoding("XML", xml, backslash),
];
