/**
 * Checks the header fields of the messages that node:http sends, and formats the head of a message. C looks at each character
 * (runtime/native/http-head.c), because that is faster.
 */
import { codedError, invalidValue } from "../../errors.ts";
import { natives } from "../../native.ts";

export type FieldValue = string | number | readonly string[];
/** Fields in the forms of Node.js: an object, a list of pairs, or a flat list such as "Accept", "text/html", "Host", "localhost". */
export type HeaderList =
  | Readonly<Record<string, FieldValue | undefined>>
  | readonly (FieldValue | readonly FieldValue[])[];

interface Natives {
  /** Returns true for a token (RFC 9110, 5.6.2). */
  readonly isToken: (text: string) => boolean;
  /** Returns true for a text of Latin-1 that has no control characters except tabs. */
  readonly isFieldValue: (text: string) => boolean;
  /** @returns the index of the first name or value that is not a string or is not valid in HTTP, if there is one */
  readonly headOf: (firstLine: string, namesAndValues: readonly unknown[]) => Head | number;
}

const native = natives<Natives>();

export function isToken(text: unknown): text is string {
  return typeof text === "string" && native.isToken(text);
}

/** Returns true if the text of a value has characters that no field may have. */
export function isInvalidFieldValue(value: unknown): boolean {
  return !native.isFieldValue(String(value));
}

export function checkFieldName(name: unknown): asserts name is string {
  if (isToken(name)) return;
  throw codedError("ERR_INVALID_HTTP_TOKEN", `Header name must be a valid HTTP token ["${String(name)}"]`, TypeError);
}

export function checkFieldValue(name: string, value: unknown): asserts value is FieldValue {
  if (value === undefined) {
    throw codedError("ERR_HTTP_INVALID_HEADER_VALUE", `Invalid value "undefined" for header "${name}"`, TypeError);
  }
  if (isInvalidFieldValue(value)) {
    throw codedError("ERR_INVALID_CHAR", `Invalid character in header content ["${name}"]`, TypeError);
  }
}

/** Returns pairs of names and values. @throws if a flat list ends with a name */
export function toPairs(headers: HeaderList): readonly (readonly [string, unknown])[] {
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

/** Returns true for a list of pairs and for a flat list. */
export function isList(headers: HeaderList): headers is readonly (FieldValue | readonly FieldValue[])[] {
  return Array.isArray(headers);
}

/** Returns true for a flat list of names and values, none of which is a list itself. */
export function isFlatList(headers: HeaderList): headers is readonly string[] {
  return isList(headers) && headers.length % 2 === 0 && !headers.some(Array.isArray);
}

/** The facts that C reports about the fields of a head, as bits. C has the same numbers (runtime/native/http-head.c). */
export const FIELD_FLAGS = {
  hasConnection: 1,
  /** `Connection: close` */
  hasConnectionClose: 2,
  hasTransferEncoding: 4,
  /** `Transfer-Encoding: chunked` */
  isChunked: 8,
  hasContentLength: 16,
  hasDate: 32,
  hasExpect: 64,
  hasTrailer: 128,
  hasKeepAlive: 256,
} as const;

/** The first line and the fields of a head without the empty line at the end; bits of FIELD_FLAGS; the value of Content-Length. */
type Head = readonly [text: string, flags: number, contentLength: string | undefined];

/**
 * Formats the head of a message.
 *
 * @param firstLine such as "GET / HTTP/1.1\r\n" @param namesAndValues the fields as a flat list
 * @throws if a name or a value is not valid in HTTP
 */
export function formatHead(firstLine: string, namesAndValues: readonly unknown[]): Head {
  const head = native.headOf(firstLine, namesAndValues);
  if (typeof head === "object") return head;
  const invalidIndex = head;
  const nameIndex = invalidIndex - (invalidIndex % 2);
  const name = namesAndValues[nameIndex];
  checkFieldName(name);
  checkFieldValue(name, namesAndValues[invalidIndex]);
  // Neither check has thrown, so the value is valid, but not a string: it may be a number, such as a length.
  return formatHead(firstLine, namesAndValues.with(invalidIndex, String(namesAndValues[invalidIndex])));
}

/**
 * Returns a flat list of names and unchecked values. A value that is a list becomes several fields, or a single field if the name
 * is `cookie`, as in Node.js.
 */
export function toFlatList(pairs: Iterable<readonly [string, unknown]>): readonly unknown[] {
  const namesAndValues: unknown[] = [];
  for (const [name, value] of pairs) {
    if (!Array.isArray(value)) namesAndValues.push(name, value);
    else if (value.length > 1 && name.toLowerCase() === "cookie") namesAndValues.push(name, value.join("; "));
    else for (const element of value) namesAndValues.push(name, element);
  }
  return namesAndValues;
}
