/** The byte strings by which secrets are found, and the part of a secret that each shows; pure. */
import { isUtf8 } from "node:buffer";
import { base64Forms, base64Lines } from "./base64.ts";
import type { Encoding, EncodingName } from "./encodings/encodings.ts";
import type { Secret } from "./model.ts";
import { textsOf, type Part } from "./texts.ts";

/** Describes a pattern, or a match of one. */
export interface Form {
  /** The variable; the first of those that have it. */
  readonly name: string;
  readonly part: Part;
  readonly encoding: EncodingName;
}

/** An encoded form needs so many characters that the secret alone determines: fewer are found by chance. */
const SHORTEST_FORM = 8;
const SHORTEST_VALUE = 6;
/** Longer forms are masked in pieces that overlap by a byte: less is held back, and part of such a form is masked, too. */
const PIECE = 256;
const LONGEST_PIECE = 2 * PIECE - 1;
/** A line that may have been encoded by itself; not one of a key, which is base64 already, nor a long one. */
const ENCODED_LINE = /^(?![A-Za-z0-9+/=]*$).{1,64}$/su;

/** Returns false for a match that is too short to count in its encoding. */
export function isEncodedForm({ name }: Encoding, length: number): boolean {
  return name === "plain" || length >= SHORTEST_FORM;
}

/** Returns the form of a match of a pattern. */
export function asFound(form: Form, { name }: Encoding, isShell: boolean): Form {
  // Base64 in JSON is called base64.
  if (name === "plain" || form.encoding !== "plain") return form;
  return { ...form, encoding: isShell ? "shell" : name };
}

/**
 * Returns the patterns of secrets, bytes as characters (Latin-1), each with the first form that has it.
 *
 * @param longest texts of more bytes are left out: they cannot stand in what is searched
 */
export function patternsOf(secrets: readonly Secret[], longest = Infinity): ReadonlyMap<string, Form> {
  const forms = new Map<string, Form>();
  for (const { name, value } of secrets) {
    const add = (part: Part, encoding: EncodingName, bytes: string): void => {
      if (bytes.length < (encoding === "plain" ? SHORTEST_VALUE : SHORTEST_FORM)) return;
      for (const piece of bytes.length > LONGEST_PIECE ? pieces(bytes) : [bytes]) {
        if (!forms.has(piece)) forms.set(piece, { name, part, encoding });
      }
    };
    const text = typeof value === "string" ? value : isUtf8(value) ? Buffer.from(value).toString() : undefined;
    const whole = Buffer.from(value);
    if (text === undefined) add("value", "plain", withOneLineEnd(whole.toString("latin1")));
    else {
      for (const [one, part] of textsOf(text)) {
        if (one.length > longest) continue;
        add(part, "plain", withOneLineEnd(latin1(one)));
        if (part === "line" && !ENCODED_LINE.test(one)) continue;
        for (const form of base64Forms(Buffer.from(one))) add(part, "base64", form);
      }
    }
    for (const form of [...(text === undefined ? base64Forms(whole) : []), ...base64Lines(whole)])
      if (form.length <= longest) add("value", "base64", form);
  }
  return forms;
}

/** CR LF and CR as LF: so are they read, too. */
function withOneLineEnd(text: string): string {
  return text.includes("\r") ? text.replaceAll(/\r\n?/g, "\n") : text;
}

/** A text's UTF-8 bytes as characters. */
function latin1(text: string): string {
  // oxlint-disable-next-line no-control-regex -- ASCII is the same in both
  return /^[\u0000-\u007F]*$/.test(text) ? text : Buffer.from(text).toString("latin1");
}

/** Pieces of {@link PIECE} bytes and one more, which the next shares: what they mask is one. The last may be longer. */
function pieces(bytes: string): readonly string[] {
  const count = Math.floor(bytes.length / PIECE);
  return Array.from({ length: count }, (_, piece) =>
    bytes.slice(piece * PIECE, piece === count - 1 ? undefined : (piece + 1) * PIECE + 1),
  );
}
