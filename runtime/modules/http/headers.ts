/** The fields of messages that node:http sends: their checks, and the text of a head, which C makes (runtime/native/http-head.c). */
import { codedError, invalidValue } from "../../errors.ts";
import { natives } from "../../native.ts";

export type FieldValue = string | number | readonly string[];
/** Fields as Node.js takes them: an object, a flat list of names and values in turn, or a list of pairs. */
export type HeaderList =
  | Readonly<Record<string, FieldValue | undefined>>
  | readonly (FieldValue | readonly FieldValue[])[];

interface Natives {
  /** Returns true for a token (RFC 9110, 5.6.2). */
  readonly isToken: (text: string) => boolean;
  /** Returns true if no character is beyond Latin-1 or a control character other than the tabulator. */
  readonly isFieldValue: (text: string) => boolean;
  /** @returns the index of the first text that is no string, or is not valid in HTTP, if there is one */
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

export function checkValue(name: string, value: unknown): asserts value is FieldValue {
  if (value === undefined) {
    throw codedError("ERR_HTTP_INVALID_HEADER_VALUE", `Invalid value "undefined" for header "${name}"`, TypeError);
  }
  if (isInvalidValue(value)) {
    throw codedError("ERR_INVALID_CHAR", `Invalid character in header content ["${name}"]`, TypeError);
  }
}

/** Returns pairs of names and values. @throws for a flat list that ends with a name */
export function pairsOf(headers: HeaderList): readonly (readonly [string, unknown])[] {
  if (!isList(headers)) return Object.entries(headers);
  if (Array.isArray(headers[0])) return headers.map((pair) => [String(elementAt(pair, 0)), elementAt(pair, 1)]);
  if (headers.length % 2 !== 0) throw invalidValue("headers", headers);
  const pairs: (readonly [string, unknown])[] = [];
  for (let index = 0; index < headers.length; index += 2) pairs.push([String(headers[index]), headers[index + 1]]);
  return pairs;
}

function elementAt(pair: unknown, index: number): unknown {
  return Array.isArray(pair) ? pair[index] : undefined;
}

export function isList(headers: HeaderList): headers is readonly (FieldValue | readonly FieldValue[])[] {
  return Array.isArray(headers);
}

/** Returns true for a flat list of names and values in turn, none of which is a list itself. */
export function isFlat(headers: HeaderList): headers is readonly string[] {
  return isList(headers) && headers.length % 2 === 0 && !headers.some(Array.isArray);
}

/** The facts that C has found in the fields of a head. The bits are those of runtime/native/http-head.c. */
export const FLAGS = {
  hasConnection: 1,
  /** `Connection: close` */
  closes: 2,
  /** `Transfer-Encoding` */
  hasEncoding: 4,
  /** `Transfer-Encoding: chunked` */
  isChunked: 8,
  /** `Content-Length` */
  hasLength: 16,
  hasDate: 32,
  /** `Expect` */
  expects: 64,
  hasTrailer: 128,
  hasKeepAlive: 256,
} as const;

/** The head of a message without its last, empty line; the bits of `FLAGS`; the value of Content-Length. */
type Head = readonly [text: string, flags: number, contentLength: string | undefined];

/**
 * Returns the head of a message, of a line such as "GET / HTTP/1.1\r\n" and a flat list of names and values.
 *
 * @throws for a name or value that is not valid in HTTP
 */
export function headOf(firstLine: string, texts: readonly unknown[]): Head {
  const head = native.headOf(firstLine, texts);
  if (typeof head === "object") return head;
  const invalidIndex = head;
  const nameIndex = invalidIndex - (invalidIndex % 2);
  const name = texts[nameIndex];
  checkName(name);
  checkValue(name, texts[invalidIndex]);
  // The value is valid but no string, such as the number of a length.
  return headOf(firstLine, texts.with(invalidIndex, String(texts[invalidIndex])));
}

/**
 * Returns a flat list of names and values. A value that is a list becomes several fields, or one field `cookie`, as in Node.js.
 * The values are not checked, and may be numbers.
 */
export function textsOf(pairs: Iterable<readonly [string, unknown]>): readonly unknown[] {
  const texts: unknown[] = [];
  for (const [name, value] of pairs) {
    if (!Array.isArray(value)) texts.push(name, value);
    else if (value.length > 1 && name.toLowerCase() === "cookie") texts.push(name, value.join("; "));
    else for (const element of value) texts.push(name, element);
  }
  return texts;
}
