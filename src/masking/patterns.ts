/** All byte strings by which secrets are found, and of what each is a form; pure. */
import { isUtf8 } from "node:buffer";
import { base64Forms } from "./forms/base64.ts";
import { jsonForms } from "./forms/json.ts";
import { percentForms } from "./forms/percent.ts";
import { shellForms } from "./forms/shell.ts";
import { xmlForms } from "./forms/xml.ts";
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

export interface Patterns {
  /** Bytes as characters (Latin-1), each with its form. */
  readonly forms: ReadonlyMap<string, Form>;
  /** How many of the secrets have a pattern. */
  readonly secrets: number;
}

/** An encoded form needs so many characters that the secret alone determines: fewer are found by chance. */
const SHORTEST_FORM = 8;
const SHORTEST_VALUE = 6;
/**
 * Longer forms are masked in pieces that overlap by a byte: that much is held back of a stream at most, and part of such
 * a form is masked, too.
 */
const LONGEST_PIECE = 512;
/** Of longer texts only the forms in base64 and JSON are made: 64 KiB in all forms would take half a second. */
const LONGEST_IN_ALL_FORMS = 16_384;

/** The patterns of secrets. Of two secrets with the same form the first has it. */
export function patternsOf(secrets: readonly Secret[]): Patterns {
  const forms = new Map<string, Form>();
  let found = 0;
  for (const { name, value } of secrets) {
    let isFound = false;
    const add = (part: Part, encoding: Encoding, bytes: string): void => {
      if (bytes.length < (encoding === "plain" ? SHORTEST_VALUE : SHORTEST_FORM)) return;
      isFound = true;
      for (const piece of bytes.length > LONGEST_PIECE ? pieces(bytes) : [bytes]) {
        if (!forms.has(piece)) forms.set(piece, { name, part, encoding });
      }
    };
    const text = typeof value === "string" ? value : isUtf8(value) ? Buffer.from(value).toString() : undefined;
    const inAllForms = value.length <= LONGEST_IN_ALL_FORMS;
    if (text !== undefined) for (const [one, part] of textsOf(text)) addText(one, part, add, inAllForms);
    else if (typeof value !== "string") addBytes(Buffer.from(value), "value", add, inAllForms);
    if (isFound) found += 1;
  }
  return { forms, secrets: found };
}

type Add = (part: Part, encoding: Encoding, bytes: string) => void;

function addText(text: string, part: Part, add: Add, inAllForms: boolean): void {
  addBytes(Buffer.from(text), part, add, inAllForms);
  const addAll = (encoding: Encoding, forms: readonly string[]): void => {
    for (const form of forms) if (form !== text) add(part, encoding, latin1(form));
  };
  addAll("JSON", inAllForms ? jsonForms(text) : jsonForms(text).slice(0, 1));
  if (!inAllForms) return;
  addAll("shell", shellForms(text));
  addAll("XML", xmlForms(text));
}

function addBytes(bytes: Buffer, part: Part, add: Add, inAllForms: boolean): void {
  const plain = bytes.toString("latin1");
  add(part, "plain", plain);
  if (inAllForms || part === "value") for (const form of base64Forms(bytes)) add(part, "base64", form);
  if (!inAllForms) return;
  for (const form of percentForms(plain)) if (form !== plain) add(part, "URL", form);
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
