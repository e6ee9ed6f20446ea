/**
 * The patterns by which secrets are found: byte strings that the automaton searches for.
 *
 * A secret has a pattern for each of its texts (texts.ts), and for the base64 of each. Other encodings need no patterns, since the
 * search decodes them. A long text has several patterns, which overlap.
 */
import { isUtf8 } from "node:buffer";
import type { Encoding, EncodingName } from "./encodings/encodings.ts";
import type { Secret } from "./masking-model.ts";
import { countCharacters, shownLengthOf, shownLengthOfBase64 } from "./silence.ts";
import { textsOf, type SecretPart } from "./texts.ts";

/** The form of a secret for which a pattern stands. `scan` shows it for each match. */
export interface Form {
  /** The variable; if several have the pattern, the first of them. */
  readonly name: string;
  readonly part: SecretPart;
  readonly encoding: EncodingName;
  /** The number of the pattern's first bytes that may appear after a silence (silence.ts). */
  readonly shownLength: number;
}

/** In characters. Shorter encoded forms would be found by chance. */
export const MIN_ENCODED_LENGTH = 8;
/** In bytes. It matters only for values with `\r\n`, which get shorter by a byte for each: texts.ts omits other short texts. */
const MIN_PLAIN_LENGTH = 6;
/** In bytes. Longer forms are masked in pieces that overlap by a byte: less is held back, and a part of such a form is masked, too. */
const PIECE_LENGTH = 256;
const MAX_PIECE_LENGTH = 2 * PIECE_LENGTH - 1;
/** A line whose base64 is searched for. A line of a key is base64 already, and a long line is seldom encoded by itself. */
const ENCODED_LINE = /^(?![A-Za-z0-9+/=]*$).{1,64}$/su;
/** Columns after which encoders of base64 break lines: base64(1) and MIME, PEM and openssl. */
const BASE64_WIDTHS = [76, 64];
/** In characters. Shorter lines of base64 have no pattern, since a short pattern slows the search for all others. */
const MIN_BASE64_LINE = 24;

/** Returns true unless an encoded match is so short that it may be chance. */
export function isEncodedForm({ name }: Encoding, length: number): boolean {
  return name === "plain" || length >= MIN_ENCODED_LENGTH;
}

/** Returns the form of a match: that of its pattern, with the encoding in which the pattern was found. */
export function formOfMatch(form: Form, { name }: Encoding, isShell: boolean): Form {
  // Base64 in JSON is called base64.
  if (name === "plain" || form.encoding !== "plain") return form;
  return { ...form, encoding: isShell ? "shell" : name };
}

/**
 * Returns the patterns of secrets, as characters of one byte (Latin-1), with their forms.
 *
 * @param maxLength omits patterns of longer texts
 */
export function patternsOf(secrets: readonly Secret[], maxLength = Infinity): ReadonlyMap<string, Form> {
  const patterns = new Map<string, Form>();
  for (const secret of secrets) addPatterns(patterns, secret, maxLength);
  return patterns;
}

function addPatterns(patterns: Map<string, Form>, { name, value }: Secret, maxLength: number): void {
  const addPlain = (part: SecretPart, bytes: string): void => {
    if (bytes.length < MIN_PLAIN_LENGTH) return;
    for (const piece of piecesOf(bytes))
      addPattern(patterns, piece, { name, part, encoding: "plain", shownLength: shownLengthOf(piece) });
  };
  const addBase64 = (part: SecretPart, encodedForms: readonly string[], bytes: Uint8Array): void => {
    const secretLength = countCharacters(bytes);
    for (const encoded of encodedForms) {
      if (encoded.length < MIN_ENCODED_LENGTH) continue;
      for (const piece of piecesOf(encoded)) {
        const shownLength = shownLengthOfBase64(piece, secretLength);
        addPattern(patterns, piece, { name, part, encoding: "base64", shownLength });
      }
    }
  };
  const isShort = (form: string): boolean => form.length <= maxLength;
  const whole = Buffer.from(value);
  // Many programs decode bytes that are not UTF-8 as U+FFFD, and `toString` does so as well.
  for (const [text, part] of textsOf(whole.toString())) {
    if (text.length > maxLength) continue;
    const bytes = Buffer.from(text);
    addPlain(part, withNewlines(bytes.toString("latin1")));
    if (part === "line" && !ENCODED_LINE.test(text)) continue;
    addBase64(part, base64FormsOf(bytes), bytes);
  }
  if (!isUtf8(whole)) {
    addPlain("value", withNewlines(whole.toString("latin1")));
    addBase64("value", base64FormsOf(whole).filter(isShort), whole);
  }
  addBase64("value", base64LinesOf(whole).filter(isShort), whole);
}

function addPattern(patterns: Map<string, Form>, pattern: string, form: Form): void {
  const existing = patterns.get(pattern);
  if (existing === undefined) patterns.set(pattern, form);
  // If several secrets have the pattern, as few bytes may appear as of the one that may show the fewest.
  else if (form.shownLength < existing.shownLength)
    patterns.set(pattern, { ...existing, shownLength: form.shownLength });
}

/** Replaces each line end by LF. The search reads each line end of an output as LF. */
function withNewlines(text: string): string {
  return text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text;
}

/**
 * Splits long bytes into pieces of {@link PIECE_LENGTH} bytes and one more, which the next piece shares: matches of both overlap,
 * and get one mask. The last piece may be longer.
 */
function piecesOf(bytes: string): readonly string[] {
  if (bytes.length <= MAX_PIECE_LENGTH) return [bytes];
  const count = Math.floor(bytes.length / PIECE_LENGTH);
  return Array.from({ length: count }, (_, index) => {
    const isLast = index === count - 1;
    return bytes.slice(index * PIECE_LENGTH, isLast ? undefined : (index + 1) * PIECE_LENGTH + 1);
  });
}

/**
 * Returns the base64 of bytes (RFC 4648) inside a longer text: at each of the three offsets, since three bytes become four
 * characters, and in both alphabets if they differ.
 */
function base64FormsOf(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const form = base64At(bytes, offset, "base64");
    return /[+/]/.test(form) ? [form, base64At(bytes, offset, "base64url")] : [form];
  });
}

/** Returns the lines of base64 into which encoders break the bytes. */
function base64LinesOf(bytes: Buffer): readonly string[] {
  const form = base64At(bytes, 0, "base64");
  return BASE64_WIDTHS.flatMap((width) => {
    const lineCount = form.length > width ? Math.ceil(form.length / width) : 0;
    const lines = Array.from({ length: lineCount }, (_, line) => form.slice(line * width, (line + 1) * width));
    return lines.filter((line) => line.length >= MIN_BASE64_LINE);
  });
}

/** Encodes bytes behind `offset` others. Omits the characters that also have bits of the bytes before and behind. */
function base64At(bytes: Buffer, offset: number, alphabet: "base64" | "base64url"): string {
  const text = (offset === 0 ? bytes : Buffer.concat([Buffer.alloc(offset), bytes])).toString(alphabet);
  const start = Math.ceil((8 * offset) / 6);
  const end = Math.floor((8 * (offset + bytes.length)) / 6);
  return text.slice(start, end);
}
