/** The encodings in which secrets are found besides as they are; pure. */
import { backslash } from "./backslash.ts";
import { nested, type Decoder } from "./decoder.ts";
import { form, percent } from "./percent.ts";
import { quotes } from "./quotes.ts";
import { xml } from "./xml.ts";

export type EncodingName = "plain" | "JSON" | "URL" | "base64" | "shell" | "XML";

export interface Encoding {
  readonly name: EncodingName;
  /** The bytes with which an escape can begin. */
  readonly starts: readonly number[];
  /** The bytes among them that an encoder never leaves as they are, or that stand for themselves in one reading. */
  readonly special: ReadonlySet<number>;
  /** undefined for {@link WRAPPED} and {@link LINE_ENDS}, which the finder reads itself. */
  readonly decoder: Decoder | undefined;
}

const SINGLE = 0x27;

function encoding(name: EncodingName, ...levels: readonly Decoder[]): Encoding {
  const decoder = nested(levels);
  return { name, starts: decoder.starts, special: new Set(decoder.starts), decoder };
}

/** Text as it is. */
export const PLAIN: Encoding = { name: "plain", starts: [], special: new Set(), decoder: undefined };
/** Other line ends than the secret's: CR LF and CR. */
export const LINE_ENDS: Encoding = { name: "plain", starts: [13], special: new Set([13]), decoder: undefined };
/** base64 in lines. */
export const WRAPPED: Encoding = { name: "base64", starts: [13, 10], special: new Set(), decoder: undefined };

export const ENCODINGS: readonly Encoding[] = [
  LINE_ENDS,
  WRAPPED,
  // JSON, and JSON as a string in JSON, as in a log of logs.
  encoding("JSON", backslash),
  encoding("JSON", backslash, backslash),
  encoding("JSON", backslash, backslash, backslash),
  // In single quotes a double quote and a backslash stand for themselves.
  { ...encoding("shell", quotes), special: new Set([SINGLE]) },
  encoding("URL", form),
  // A URL in a URL, and JSON in one.
  encoding("URL", percent, form),
  encoding("URL", percent, backslash),
  encoding("URL", form, backslash),
  encoding("XML", xml),
  encoding("XML", xml, backslash),
];
