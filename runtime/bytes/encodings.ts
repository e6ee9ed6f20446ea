/** The encodings of Buffer, and the C code that reads and writes them. */
import { codedError } from "../errors.ts";
import { natives } from "../native.ts";

export interface BytesNatives {
  readonly decode: (bytes: Uint8Array, start: number, end: number, encoding: number) => string;
  readonly encode: (text: string, encoding: number) => ArrayBuffer;
  readonly writeInto: (text: string, encoding: number, bytes: Uint8Array, offset: number, length: number) => number;
  readonly utf8Length: (text: string) => number;
  readonly useBuffer: (prototype: object) => void;
  readonly isUtf8: (bytes: Uint8Array) => boolean;
  readonly cutLength: (bytes: Uint8Array) => number;
  readonly compareBytes: (bytes: Uint8Array, others: Uint8Array) => number;
  readonly findBytes: (bytes: Uint8Array, sought: Uint8Array, from: number, step: number) => number;
  readonly findBytesBackwards: (bytes: Uint8Array, sought: Uint8Array, from: number, step: number) => number;
  readonly copyBytes: (bytes: Uint8Array, start: number, end: number, to: Uint8Array, at: number) => void;
  /** @returns the number of bytes of all; for anything but a Uint8Array its negative index, less one */
  readonly lengthOfAll: (list: readonly Uint8Array[]) => number;
  /** Copies the bytes of all, one after the other, as far as they fit. */
  readonly copyAll: (list: readonly Uint8Array[], to: Uint8Array) => void;
}

export const native = natives<BytesNatives>();

/** Numbers as in runtime/native/text.h. */
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

const NAMES = new Map(Object.entries(ENCODINGS));

/** Returns an encoding's number, or undefined for an unknown one. */
export function findEncoding(name: unknown): number | undefined {
  if (typeof name !== "string") return undefined;
  return NAMES.get(name) ?? NAMES.get(name.toLowerCase());
}

/** Returns an encoding's number, UTF-8 by default. @throws for an unknown one */
export function encodingOf(name: unknown): number {
  if (name === undefined || name === "utf8") return UTF8;
  const found = findEncoding(name);
  if (found === undefined) {
    const text = typeof name === "string" ? name : typeof name;
    throw codedError("ERR_UNKNOWN_ENCODING", `Unknown encoding: ${text}`, TypeError);
  }
  return found;
}

/** The bytes of a text. */
export function bytesOfText(text: string, encoding: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(native.encode(text, encoding));
}

/** How many bytes a text has. */
export function lengthOfText(text: string, encoding: number): number {
  const { length } = text;
  if (encoding === UTF8) return native.utf8Length(text);
  if (encoding === UTF16LE) return 2 * length;
  if (encoding === HEX) return length >>> 1;
  if (encoding !== BASE64 && encoding !== BASE64URL) return length;
  const digits = text.endsWith("==") ? length - 2 : text.endsWith("=") ? length - 1 : length;
  return (digits * 3) >>> 2;
}
