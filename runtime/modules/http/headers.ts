/** The fields of messages that are sent. */
import { codedError, invalidValue } from "../../errors.ts";
import { natives } from "../../native.ts";

export type Value = string | number | readonly string[];
/** As in Node.js: an object, or names and values in turns, or pairs of them. */
export type HeaderList = Readonly<Record<string, Value | undefined>> | readonly (Value | readonly Value[])[];

interface Natives {
  /** RFC 9110, 5.6.2. */
  readonly isToken: (text: string) => boolean;
  /** Returns true if all characters are those of a field's value: none is beyond latin1, nor a control character but the tabulator. */
  readonly isFieldValue: (text: string) => boolean;
  /** @returns the index of a value that is no text, or not one of HTTP, if there is one */
  readonly headOf: (firstLine: string, texts: readonly unknown[]) => Head | number;
}

const native = natives<Natives>();

export function isToken(text: unknown): text is string {
  return typeof text === "string" && native.isToken(text);
}

/** Returns true for a text with characters that no field's value may have. */
export function isInvalidValue(value: unknown): boolean {
  return !native.isFieldValue(String(value));
}

export function checkName(name: unknown, label = "Header name"): asserts name is string {
  if (!isToken(name)) {
    throw codedError("ERR_INVALID_HTTP_TOKEN", `${label} must be a valid HTTP token ["${String(name)}"]`, TypeError);
  }
}

export function checkValue(name: string, value: unknown): asserts value is Value {
  if (value === undefined) {
    throw codedError("ERR_HTTP_INVALID_HEADER_VALUE", `Invalid value "undefined" for header "${name}"`, TypeError);
  }
  if (isInvalidValue(value)) {
    throw codedError("ERR_INVALID_CHAR", `Invalid character in header content ["${name}"]`, TypeError);
  }
}

/** @throws for a list with a name but no value */
export function pairsOf(headers: HeaderList): readonly (readonly [string, unknown])[] {
  if (!isList(headers)) return Object.entries(headers);
  if (Array.isArray(headers[0])) return headers.map((pair) => [String(at(pair, 0)), at(pair, 1)]);
  if (headers.length % 2 !== 0) throw invalidValue("headers", headers);
  const pairs: (readonly [string, unknown])[] = [];
  for (let index = 0; index < headers.length; index += 2) pairs.push([String(headers[index]), headers[index + 1]]);
  return pairs;
}

function at(pair: unknown, index: number): unknown {
  return Array.isArray(pair) ? pair[index] : undefined;
}

export function isList(headers: HeaderList): headers is readonly (Value | readonly Value[])[] {
  return Array.isArray(headers);
}

/** Returns true for names and values in turn, without lists among them. */
export function isFlat(headers: HeaderList): headers is readonly string[] {
  return isList(headers) && headers.length % 2 === 0 && !headers.some(Array.isArray);
}

/** Facts that are in the fields of a head; as in runtime/native/http-head.c. */
export const FLAGS = {
  hasConnection: 1,
  closes: 2,
  hasEncoding: 4,
  isChunked: 8,
  hasLength: 16,
  hasDate: 32,
  expects: 64,
  hasTrailer: 128,
  hasKeepAlive: 256,
} as const;

/** The head of a message without its last line, the flags, and the value of Content-Length. */
type Head = readonly [text: string, flags: number, length: string | undefined];

/**
 * Returns the head of a message.
 *
 * @param texts names and values in turn
 * @throws for a name or value that is not one of HTTP
 */
export function headOf(firstLine: string, texts: readonly unknown[]): Head {
  const head = native.headOf(firstLine, texts);
  if (typeof head === "object") return head;
  const name = texts[head - (head % 2)];
  checkName(name);
  checkValue(name, texts[head]);
  // A number, such as the length.
  return headOf(firstLine, texts.with(head, String(texts[head])));
}

/** Returns names and values in turn, each a text unless it is not one of HTTP. */
export function textsOf(pairs: Iterable<readonly [string, unknown]>): readonly unknown[] {
  const texts: unknown[] = [];
  for (const [name, value] of pairs) {
    if (!Array.isArray(value)) texts.push(name, value);
    else if (value.length > 1 && name.toLowerCase() === "cookie") texts.push(name, value.join("; "));
    else for (const each of value) texts.push(name, each);
  }
  return texts;
}
