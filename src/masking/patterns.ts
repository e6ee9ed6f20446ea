/**
 * Lists the patterns for which the automaton searches: byte strings that show a secret in the output of a program.
 *
 * A secret has a pattern for each of its texts, such as its lines (texts.ts), and for the base64 of each. Other
 * encodings need no patterns, since the search decodes them. A long text has several patterns, which overlap.
 */
import { isUtf8 } from "node:buffer";
import type { Encoding, EncodingName } from "./encodings/encodings.ts";
import type { Secret } from "./masking-model.ts";
import { countCharacters, measureShownLength, measureShownLengthOfBase64 } from "./silence.ts";
import { listMaskedTexts, type SecretPart } from "./texts.ts";

/** The form in which a secret appears as a pattern. `sophia-run scan` prints it for each match. */
export interface Form {
  /** The name of the variable; if several variables have the pattern, of the first one. */
  readonly name: string;
  /** The part of the value that the pattern shows. */
  readonly part: SecretPart;
  readonly encoding: EncodingName;
  /** The number of the pattern's first bytes that may appear after a silence (silence.ts). */
  readonly shownLength: number;
}

/** The minimal length of an encoded form, in characters. Shorter ones would be found by chance. */
export const MIN_ENCODED_LENGTH = 8;
/**
 * The minimal length of a plain pattern, in bytes. texts.ts has omitted short texts, but a text with `\r\n` becomes
 * shorter here by a byte for each line end.
 */
const MIN_PLAIN_LENGTH = 6;
/**
 * The length of the pieces into which longer patterns are split, in bytes. With pieces, a stream holds back fewer
 * bytes, and a part of a long secret is masked even if the rest of the secret does not follow.
 */
const PIECE_LENGTH = 256;
const MAX_PIECE_LENGTH = 2 * PIECE_LENGTH - 1;
/**
 * Matches a line whose base64 is a pattern as well. Other lines are seldom encoded by themselves: a line of a key is
 * base64 already, and a long line is a part of a longer text.
 */
const LINE_TO_ENCODE = /^(?![A-Za-z0-9+/=]*$).{1,64}$/su;
/**
 * The numbers of columns after which encoders break base64 into lines: 76 for base64(1) and MIME, 64 for PEM and
 * openssl.
 */
const BASE64_WIDTHS = [76, 64];
/** In characters. A shorter line of base64 has no pattern, since a short pattern slows the search for all others. */
const MIN_BASE64_LINE_LENGTH = 24;

/** Returns false for an encoded match that is so short that it may be there by chance. */
export function isEncodedForm({ name }: Encoding, length: number): boolean {
  return name === "plain" || length >= MIN_ENCODED_LENGTH;
}

/** Returns the form of a match: that of its pattern, with the encoding in which the pattern was found. */
export function findFormOfMatch(form: Form, { name }: Encoding, isShell: boolean): Form {
  // A base64 pattern that was found in JSON is reported as base64.
  if (name === "plain" || form.encoding !== "plain") return form;
  return { ...form, encoding: isShell ? "shell" : name };
}

/**
 * Returns the patterns of secrets, each with its form. A pattern is a text whose characters stand for bytes (Latin-1).
 *
 * @param maxLength the length above which texts have no pattern
 */
export function createPatterns(secrets: readonly Secret[], maxLength = Infinity): ReadonlyMap<string, Form> {
  const collector = new PatternCollector(maxLength);
  for (const secret of secrets) collector.addSecret(secret);
  return collector.forms;
}

class PatternCollector {
  /** The form of each pattern that was added. */
  readonly forms = new Map<string, Form>();
  private readonly maxLength: number;

  constructor(maxLength: number) {
    this.maxLength = maxLength;
  }

  addSecret({ name, value }: Secret): void {
    const { maxLength } = this;
    const valueBytes = Buffer.from(value);
    const isSearched = (text: string): boolean => text.length <= maxLength;
    // Many programs decode bytes that are not UTF-8 as U+FFFD. `toString` does the same.
    for (const [text, part] of listMaskedTexts(valueBytes.toString())) {
      if (!isSearched(text)) continue;
      const bytes = Buffer.from(text);
      this.addPlain(name, part, bytes);
      if (part === "line" && !LINE_TO_ENCODE.test(text)) continue;
      this.addBase64(name, part, listBase64Texts(bytes), bytes);
    }
    // Other programs write such bytes as they are.
    if (!isUtf8(valueBytes)) {
      this.addPlain(name, "value", valueBytes);
      this.addBase64(name, "value", listBase64Texts(valueBytes).filter(isSearched), valueBytes);
    }
    this.addBase64(name, "value", listBase64Lines(valueBytes).filter(isSearched), valueBytes);
  }

  private addPlain(name: string, part: SecretPart, textBytes: Buffer): void {
    const pattern = withNewlines(textBytes.toString("latin1"));
    if (pattern.length < MIN_PLAIN_LENGTH) return;
    for (const piece of splitIntoPieces(pattern)) {
      this.add(piece, { name, part, encoding: "plain", shownLength: measureShownLength(piece) });
    }
  }

  /** Adds texts in base64. @param textBytes the bytes that each of them encodes, at least in part */
  private addBase64(name: string, part: SecretPart, encodedTexts: readonly string[], textBytes: Buffer): void {
    const secretLength = countCharacters(textBytes);
    for (const encoded of encodedTexts) {
      if (encoded.length < MIN_ENCODED_LENGTH) continue;
      for (const piece of splitIntoPieces(encoded)) {
        const shownLength = measureShownLengthOfBase64(piece, secretLength);
        this.add(piece, { name, part, encoding: "base64", shownLength });
      }
    }
  }

  private add(pattern: string, form: Form): void {
    const existing = this.forms.get(pattern);
    if (existing === undefined) this.forms.set(pattern, form);
    // Several secrets may have the same pattern. Of it, no more may appear than of any of them.
    else if (form.shownLength < existing.shownLength) {
      this.forms.set(pattern, { ...existing, shownLength: form.shownLength });
    }
  }
}

/** Replaces each line end by LF, because the search reads each line end of an output as LF. */
function withNewlines(text: string): string {
  return text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text;
}

/**
 * Splits a long pattern into pieces of {@link PIECE_LENGTH} bytes. Each piece also has the first byte of the next one,
 * so that their matches overlap, and get one mask. The last piece may be longer.
 */
function splitIntoPieces(bytes: string): readonly string[] {
  if (bytes.length <= MAX_PIECE_LENGTH) return [bytes];
  const count = Math.floor(bytes.length / PIECE_LENGTH);
  return Array.from({ length: count }, (_, index) => {
    const isLast = index === count - 1;
    return bytes.slice(index * PIECE_LENGTH, isLast ? undefined : (index + 1) * PIECE_LENGTH + 1);
  });
}

/**
 * Returns the base64 (RFC 4648) that bytes have as a part of longer bytes. Base64 turns three bytes into four
 * characters, so that there is one text for each of three offsets. If the two alphabets differ in it, it is returned in
 * both.
 */
function listBase64Texts(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const encoded = base64At(bytes, offset, "base64");
    return /[+/]/.test(encoded) ? [encoded, base64At(bytes, offset, "base64url")] : [encoded];
  });
}

/** Returns the lines of base64 into which encoders break the bytes. */
function listBase64Lines(bytes: Buffer): readonly string[] {
  const encoded = base64At(bytes, 0, "base64");
  return BASE64_WIDTHS.flatMap((width) => {
    const lineCount = encoded.length > width ? Math.ceil(encoded.length / width) : 0;
    const lines = Array.from({ length: lineCount }, (_, line) => encoded.slice(line * width, (line + 1) * width));
    return lines.filter((line) => line.length >= MIN_BASE64_LINE_LENGTH);
  });
}

/**
 * Encodes bytes that follow `offset` other bytes. Omits the characters that also depend on the bytes before and after.
 */
function base64At(bytes: Buffer, offset: number, alphabet: "base64" | "base64url"): string {
  const text = (offset === 0 ? bytes : Buffer.concat([Buffer.alloc(offset), bytes])).toString(alphabet);
  const start = Math.ceil((8 * offset) / 6);
  const end = Math.floor((8 * (offset + bytes.length)) / 6);
  return text.slice(start, end);
}
