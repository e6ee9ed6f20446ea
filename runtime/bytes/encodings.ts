/**
 * The encodings of the class Buffer of the executable's runtime, and the C functions that encode, decode, search and copy bytes
 * (runtime/native/bytes.c, text.c).
 */
import { codedError } from "../errors.ts";
import { natives } from "../native.ts";

export interface BytesNatives {
  /** Decodes the bytes from `start` to before `end`. */
  readonly decode: (bytes: Uint8Array, start: number, end: number, encoding: number) => string;
  readonly encode: (text: string, encoding: number) => ArrayBuffer;
  /** Encodes a text into the bytes at an offset. @returns the number of written bytes, at most `length` */
  readonly writeInto: (text: string, encoding: number, bytes: Uint8Array, offset: number, length: number) => number;
  readonly utf8Length: (text: string) => number;
  /** Sets the prototype of the Buffers that C functions return. */
  readonly useBuffer: (prototype: object) => void;
  readonly isUtf8: (bytes: Uint8Array) => boolean;
  /** Returns the number of bytes at the end that are the beginning of a character in UTF-8, but not all of it. */
  readonly cutLength: (bytes: Uint8Array) => number;
  /** Compares in the order of the bytes. @returns a negative number, 0, or a positive number */
  readonly compareBytes: (bytes: Uint8Array, others: Uint8Array) => number;
  /**
   * Finds bytes in other bytes.
   *
   * @param start the offset at which the search begins
   * @param step 1, or 2 to find only matches whose distance from `start` is even, as UTF-16 needs
   * @returns the offset of the first match; -1 if there is none
   */
  readonly findBytes: (bytes: Uint8Array, sought: Uint8Array, start: number, step: number) => number;
  /** Does the same, and searches from `start` towards the beginning. */
  readonly findBytesBackwards: (bytes: Uint8Array, sought: Uint8Array, start: number, step: number) => number;
  /** Copies the bytes from `start` to before `end` to an offset of the target. */
  readonly copyBytes: (bytes: Uint8Array, start: number, end: number, target: Uint8Array, targetOffset: number) => void;
  /** Returns the number of bytes of all elements. If an element is not a Uint8Array, returns `-1 - index` of that element. */
  readonly lengthOfAll: (list: readonly Uint8Array[]) => number;
  /** Copies the bytes of all elements, one element after the other, until the target is full. */
  readonly copyAll: (list: readonly Uint8Array[], target: Uint8Array) => void;
}

export const native = natives<BytesNatives>();

/** The numbers of the encodings in the C functions (runtime/native/text.h). */
const [LATIN1, ASCII, HEX] = [1, 2, 3];
export const [UTF8, BASE64, BASE64URL, UTF16LE] = [0, 4, 5, 6];

/** The encodings by the names that Node.js accepts. */
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

/** Returns an encoding's number; undefined for an unknown name. */
export function findEncoding(name: unknown): number | undefined {
  if (typeof name !== "string") return undefined;
  return NUMBERS_BY_NAME.get(name) ?? NUMBERS_BY_NAME.get(name.toLowerCase());
}

/** Returns an encoding's number, UTF-8 by default. @throws the error that Node.js throws for an unknown name */
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
  // Two digits are one byte. A single digit at the end is ignored.
  if (encoding === HEX) return length >>> 1;
  if (encoding !== BASE64 && encoding !== BASE64URL) return length;
  const paddingLength = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  // Four characters of base64 are three bytes.
  return ((length - paddingLength) * 3) >>> 2;
}
