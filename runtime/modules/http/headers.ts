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

/** The head of a message, and what its fields say. */
export class Head {
  text: string;
  hasConnection = false;
  hasLength = false;
  hasEncoding = false;
  hasDate = false;
  hasKeepAlive = false;
  expects = false;
  hasTrailer = false;
  isChunked = false;
  closes = false;
  length: number | undefined;

  constructor(firstLine: string) {
    this.text = firstLine;
  }

  /** @throws for a name or value that is not one of HTTP */
  add(name: string, value: unknown, isChecked: boolean): void {
    if (isChecked) checkName(name);
    const isCookie = name.length === 6 && name.toLowerCase() === "cookie";
    if (!Array.isArray(value)) this.#addOne(name, value, isChecked);
    else if (isCookie && value.length > 1) this.#addOne(name, value.join("; "), isChecked);
    else for (const each of value) this.#addOne(name, each, isChecked);
  }

  #addOne(name: string, value: unknown, isChecked: boolean): void {
    if (isChecked) checkValue(name, value);
    const text = String(value);
    this.text += `${name}: ${text}\r\n`;
    switch (name.length < 4 || name.length > 17 ? "" : name.toLowerCase()) {
      case "connection":
        this.hasConnection = true;
        this.closes ||= /(?:^|\W)close(?:$|\W)/i.test(text);
        break;
      case "transfer-encoding":
        this.hasEncoding = true;
        this.isChunked ||= /(?:^|\W)chunked(?:$|\W)/i.test(text);
        break;
      case "content-length":
        this.hasLength = true;
        this.length = Number(text);
        break;
      case "date":
        this.hasDate = true;
        break;
      case "expect":
        this.expects = true;
        break;
      case "trailer":
        this.hasTrailer = true;
        break;
      case "keep-alive":
        this.hasKeepAlive = true;
        break;
    }
  }
}
