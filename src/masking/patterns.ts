/** All byte strings by which secrets are found, and of what each is a form; pure. */
import { isUtf8 } from "node:buffer";
import { base64Forms } from "./forms/base64.ts";
import { formsBy } from "./forms/encoder.ts";
import { JSON_ENCODERS } from "./forms/json.ts";
import { PERCENT_ENCODERS, TWICE_ENCODERS } from "./forms/percent.ts";
import { SHELL_ENCODERS } from "./forms/shell.ts";
import { XML_ENCODERS } from "./forms/xml.ts";
import type { Secret } from "./model.ts";
import { textsOf, type Part } from "./texts.ts";

export type Encoding = "plain" | "JSON" | "URL" | "base64" | "shell" | "XML";

/** What a pattern shows where it is found. */
export interface Form {
  /** The variable; the first of those that have it. */
  readonly name: string;
  readonly part: Part;
  readonly encoding: Encoding;
}

/** An encoded form needs so many characters that the secret alone determines: fewer are found by chance. */
const SHORTEST_FORM = 8;
const SHORTEST_VALUE = 6;
/**
 * Longer forms are masked in pieces that overlap by a byte: that much is held back of a stream at most, and part of such
 * a form is masked, too.
 */
const LONGEST_PIECE = 512;
/**
 * Of longer values, in bytes, only the whole is encoded, as JSON and base64, and of even longer ones nothing: all forms of
 * all lines of 64 KiB would take half a second and a hundred megabytes.
 */
const LONGEST_IN_ALL_FORMS = 8192;
const LONGEST_ENCODED = 131_072;

const ENCODINGS = [
  { encoding: "JSON", encoders: JSON_ENCODERS },
  { encoding: "URL", encoders: [...PERCENT_ENCODERS, ...TWICE_ENCODERS] },
  { encoding: "shell", encoders: SHELL_ENCODERS },
  { encoding: "XML", encoders: XML_ENCODERS },
] as const;

/** The patterns of secrets: bytes as characters (Latin-1), each with its form. Of two with the same form the first has it. */
export function patternsOf(secrets: readonly Secret[]): ReadonlyMap<string, Form> {
  const forms = new Map<string, Form>();
  const base64 = base64Forms();
  const encodings = ENCODINGS.map(({ encoding, encoders }) => ({ encoding, formsOf: formsBy(encoders) }));
  for (const { name, value } of secrets) {
    const add = (part: Part, encoding: Encoding, bytes: string): void => {
      if (bytes.length < (encoding === "plain" ? SHORTEST_VALUE : SHORTEST_FORM)) return;
      for (const piece of bytes.length > LONGEST_PIECE ? pieces(bytes) : [bytes]) {
        if (!forms.has(piece)) forms.set(piece, { name, part, encoding });
      }
    };
    const addBase64 = (bytes: Buffer, part: Part): void => {
      for (const form of base64(bytes)) add(part, "base64", form);
    };
    const text = typeof value === "string" ? value : isUtf8(value) ? Buffer.from(value).toString() : undefined;
    if (text === undefined) {
      const bytes = Buffer.from(value);
      add("value", "plain", bytes.toString("latin1"));
      if (bytes.length <= LONGEST_ENCODED) addBase64(bytes, "value");
      continue;
    }
    const inAllForms = text.length <= LONGEST_IN_ALL_FORMS;
    for (const [one, part] of textsOf(text)) {
      add(part, "plain", latin1(one));
      if (!inAllForms && (one !== text || text.length > LONGEST_ENCODED)) continue;
      addBase64(Buffer.from(one), part);
      for (const { encoding, formsOf } of inAllForms ? encodings : encodings.slice(0, 1)) {
        for (const form of formsOf(one)) add(part, encoding, latin1(form));
      }
    }
  }
  return forms;
}

/** A text's UTF-8 bytes as characters. */
function latin1(text: string): string {
  // oxlint-disable-next-line no-control-regex -- ASCII is the same in both
  return /^[\u0000-\u007F]*$/.test(text) ? text : Buffer.from(text).toString("latin1");
}

/** Pieces of about the same length, each of which shares a byte with the next: what they mask is one. */
function pieces(bytes: string): readonly string[] {
  const count = Math.ceil((bytes.length - 1) / (LONGEST_PIECE - 1));
  const cut = (piece: number): number => Math.round((piece * (bytes.length - 1)) / count);
  return Array.from({ length: count }, (_, piece) => bytes.slice(cut(piece), cut(piece + 1) + 1));
}
