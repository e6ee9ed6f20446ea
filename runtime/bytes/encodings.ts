/** The encodings of Buffer, and the C functions that encode, decode, search and copy bytes (runtime/native/bytes.c, text.c). */
import { codedError } from "../errors.ts";
import { natives } from "../native.ts";

export interface BytesNatives {
  readonly decode: (bytes: Uint8Array, start: number, end: number, encoding: number) => string;
  readonly encode: (text: string, encoding: number) => ArrayBuffer;
  readonly writeInto: (text: string, encoding: number, bytes: Uint8Array, offset: number, length: number) => number;
  readonly utf8Length: (text: string) => number;
  /** Sets the prototype of the Buffers that C makes. */
  readonly useBuffer: (prototype: object) => void;
  readonly isUtf8: (bytes: Uint8Array) => boolean;
  /** Returns the number of bytes at the end that begin a character of UTF-8 without completing it. */
  readonly cutLength: (bytes: Uint8Array) => number;
  readonly compareBytes: (bytes: Uint8Array, others: Uint8Array) => number;
  /** @param step 2 finds only even distances from `from`, as UTF-16 needs @returns an offset, or -1 */
  readonly findBytes: (bytes: Uint8Array, sought: Uint8Array, from: number, step: number) => number;
  readonly findBytesBackwards: (bytes: Uint8Array, sought: Uint8Array, from: number, step: number) => number;
  readonly copyBytes: (bytes: Uint8Array, start: number, end: number, to: Uint8Array, at: number) => void;
  /** @returns the number of bytes of all; if the element at an index is no Uint8Array, `-1 - index` */
  readonly lengthOfAll: (list: readonly Uint8Array[]) => number;
  /** Copies the bytes of all elements, one after the other, as far as they fit. */
  readonly copyAll: (list: readonly Uint8Array[], to: Uint8Array) => void;
}

export const native = natives<BytesNatives>();

/** The numbers by which C knows the encodings (runtime/native/text.h). */
const [LATIN1, ASCII, HEX] = [1, 2, 3];
export const [UTF8, BASE64, BASE64URL, UTF16LE] = [0, 4, 5, 6];

const ENCODINGS = {
  utf8: UTF8,
  "utf-8": UTF8,
  latin1: LATIN1,
  binary: LATIN1,
  ascii: ASCII,
  hex: HEX,
  base64: BASE64,
  base64url: BASE64URL,
  utf16le: UTF16LE,
  "utf-16le": UTF16LE,
  ucs2: UTF16LE,
  "ucs-2": UTF16LE,
};

const NUMBERS_BY_NAME = new Map(Object.entries(ENCODINGS));

/** Returns an encoding's number, or undefined for an unknown one. */
export function findEncoding(name: unknown): number | undefined {
  if (typeof name !== "string") return undefined;
  return NUMBERS_BY_NAME.get(name) ?? NUMBERS_BY_NAME.get(name.toLowerCase());
}

/** Returns an encoding's number, UTF-8 by default. @throws for an unknown one */
export function encodingOf(name: unknown): number {
  if (name === undefined || name === "utf8") return UTF8;
  const number = findEncoding(name);
  if (number === undefined) {
    const text = typeof name === "string" ? name : typeof name;
    throw codedError("ERR_UNKNOWN_ENCODING", `Unknown encoding: ${text}`, TypeError);
  }
  return number;
}

/** Returns the bytes of a text. */
export function bytesOfText(text: string, encoding: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(native.encode(text, encoding));
}

/** Returns the number of bytes of a text, without encoding it. */
export function lengthOfText(text: string, encoding: number): number {
  const { length } = text;
  if (encoding === UTF8) return native.utf8Length(text);
  if (encoding === UTF16LE) return 2 * length;
  if (encoding === HEX) return length >>> 1;
  if (encoding !== BASE64 && encoding !== BASE64URL) return length;
  const paddingLength = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  // Four digits of base64 are three bytes.
  return ((length - paddingLength) * 3) >>> 2;
}
