/** The byte strings by which secrets are found, and the part of a secret that each shows; pure. */
import { isUtf8 } from "node:buffer";
import type { Encoding, EncodingName } from "./encodings/encodings.ts";
import type { Secret } from "./masking-model.ts";
import { lengthOf, shownOf, shownOfBase64 } from "./silence.ts";
import { textsOf, type SecretPart } from "./texts.ts";

export interface Form {
  /** The variable; the first of those that have the pattern. */
  readonly name: string;
  readonly part: SecretPart;
  readonly encoding: EncodingName;
  /** The number of the pattern's first bytes that may appear after a silence. */
  readonly shown: number;
}

/** The least number of characters of an encoded form: shorter ones are found by chance. */
export const SHORTEST_FORM = 8;
/** In bytes. Decides only over values with `\r\n`, which get shorter by one line end: `texts.ts` has refused other short ones. */
const SHORTEST_PLAIN_PATTERN = 6;
/** Longer forms are masked in pieces that overlap by a byte: less is held back, and a part of such a form is masked, too. */
const PIECE = 256;
const LONGEST_PIECE = 2 * PIECE - 1;
/** A line that may have been encoded by itself; not one of a key, which is base64 already, nor a long one. */
const ENCODED_LINE = /^(?![A-Za-z0-9+/=]*$).{1,64}$/su;
/** Columns after which encoders of base64 break lines: base64(1) and MIME, PEM and openssl. */
const BASE64_WIDTHS = [76, 64];
/** Shorter lines of base64 are not searched for: short patterns slow the search for all others. */
const SHORTEST_BASE64_LINE = 24;

/** Returns true unless an encoded match is so short that it may be chance. */
export function isEncodedForm({ name }: Encoding, length: number): boolean {
  return name === "plain" || length >= SHORTEST_FORM;
}

/** Returns the form of a match: the encoding in which it was found, or that of its pattern. */
export function formOfMatch(form: Form, { name }: Encoding, isShell: boolean): Form {
  // Base64 in JSON is called base64.
  if (name === "plain" || form.encoding !== "plain") return form;
  return { ...form, encoding: isShell ? "shell" : name };
}

/** Returns patterns as characters (Latin-1), each with its first form; none for texts of more than `longest` bytes. */
export function patternsOf(secrets: readonly Secret[], longest = Infinity): ReadonlyMap<string, Form> {
  const forms = new Map<string, Form>();
  for (const { name, value } of secrets) {
    const add = (part: SecretPart, encoding: EncodingName, bytes: string, shown: (piece: string) => number): void => {
      if (bytes.length < (encoding === "plain" ? SHORTEST_PLAIN_PATTERN : SHORTEST_FORM)) return;
      for (const piece of bytes.length > LONGEST_PIECE ? pieces(bytes) : [bytes]) {
        const [form, most] = [forms.get(piece), shown(piece)];
        // The least of several secrets that have the pattern.
        if (form === undefined) forms.set(piece, { name, part, encoding, shown: most });
        else if (most < form.shown) forms.set(piece, { ...form, shown: most });
      }
    };
    const addPlain = (part: SecretPart, bytes: string): void => add(part, "plain", bytes, shownOf);
    const addBase64 = (part: SecretPart, encoded: readonly string[], bytes: Uint8Array): void => {
      const length = lengthOf(bytes);
      for (const form of encoded) add(part, "base64", form, (piece) => shownOfBase64(piece, length));
    };
    const whole = Buffer.from(value);
    // Many programs decode bytes that are not UTF-8 as U+FFFD.
    for (const [text, part] of textsOf(whole.toString())) {
      if (text.length > longest) continue;
      const bytes = Buffer.from(text);
      addPlain(part, withOneLineEnd(bytes.toString("latin1")));
      if (part === "line" && !ENCODED_LINE.test(text)) continue;
      addBase64(part, base64Forms(bytes), bytes);
    }
    const isShort = (form: string): boolean => form.length <= longest;
    if (!isUtf8(whole)) {
      addPlain("value", withOneLineEnd(whole.toString("latin1")));
      addBase64("value", base64Forms(whole).filter(isShort), whole);
    }
    addBase64("value", base64Lines(whole).filter(isShort), whole);
  }
  return forms;
}

function withOneLineEnd(text: string): string {
  return text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text;
}

/** Returns pieces of {@link PIECE} bytes and one more, which the next shares: together they get one mask. The last may be longer. */
function pieces(bytes: string): readonly string[] {
  const count = Math.floor(bytes.length / PIECE);
  return Array.from({ length: count }, (_, piece) =>
    bytes.slice(piece * PIECE, piece === count - 1 ? undefined : (piece + 1) * PIECE + 1),
  );
}

/** Encodes bytes (RFC 4648) at each of the three offsets, without characters that hold bits of their neighbours. */
function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const form = base64At(bytes, offset, "base64");
    return /[+/]/.test(form) ? [form, base64At(bytes, offset, "base64url")] : [form];
  });
}

function base64Lines(bytes: Buffer): readonly string[] {
  const form = base64At(bytes, 0, "base64");
  return BASE64_WIDTHS.flatMap((width) =>
    Array.from({ length: form.length > width ? Math.ceil(form.length / width) : 0 }, (_, line) =>
      form.slice(line * width, (line + 1) * width),
    ).filter((line) => line.length >= SHORTEST_BASE64_LINE),
  );
}

function base64At(bytes: Buffer, offset: number, alphabet: "base64" | "base64url"): string {
  const text = (offset === 0 ? bytes : Buffer.concat([Buffer.alloc(offset), bytes])).toString(alphabet);
  return text.slice(Math.ceil((8 * offset) / 6), Math.floor((8 * (offset + bytes.length)) / 6));
}
