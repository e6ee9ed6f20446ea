/** The search of Buffer.indexOf, lastIndexOf and includes, for a byte, for bytes or for text. */
import { invalidType } from "../errors.ts";
import { bytesOfText, encodingOf, findEncoding, native, UTF16LE, UTF8 } from "./encodings.ts";

/**
 * Takes the arguments of Buffer.indexOf and lastIndexOf: (value, from, encoding) or (value, encoding).
 *
 * @returns the offset of the first match, or of the last one if the search is not forward; -1 if there is none
 */
export function find(
  bytes: Uint8Array,
  value: unknown,
  from: unknown,
  encodingName: unknown,
  isForward: boolean,
): number {
  const isFromEncoding = typeof from === "string";
  const number = isFromEncoding ? Number.NaN : Number(from);
  const defaultOffset = isForward ? 0 : bytes.length;
  const offset = Number.isNaN(number) ? defaultOffset : Math.trunc(number);
  if (typeof value === "number") return findByte(bytes, value & 255, offset, isForward);
  const name = (isFromEncoding ? from : encodingName) ?? undefined;
  if (typeof value === "string") {
    const encoding = encodingOf(name);
    return findSequence(bytes, bytesOfText(value, encoding), offset, encoding, isForward);
  }
  if (value instanceof Uint8Array) return findSequence(bytes, value, offset, findEncoding(name) ?? UTF8, isForward);
  const expected = "one of type number or string or an instance of Buffer or Uint8Array";
  throw invalidType("value", expected, value);
}

function findByte(bytes: Uint8Array, byte: number, offset: number, isForward: boolean): number {
  const start = startOffset(bytes.length, offset, 1, isForward);
  if (start < 0 || bytes.length === 0) return -1;
  return isForward
    ? Uint8Array.prototype.indexOf.call(bytes, byte, start)
    : Uint8Array.prototype.lastIndexOf.call(bytes, byte, start);
}

function findSequence(
  bytes: Uint8Array,
  sought: Uint8Array,
  offset: number,
  encoding: number,
  isForward: boolean,
): number {
  const start = startOffset(bytes.length, offset, sought.length, isForward);
  if (sought.length === 0 || start < 0) return start;
  // A match in UTF-16 begins with a whole code unit.
  const step = encoding === UTF16LE ? 2 : 1;
  if (bytes.length < step || sought.length < step) return -1;
  return isForward
    ? native.findBytes(bytes, sought, start, step)
    : native.findBytesBackwards(bytes, sought, start, step);
}

/** Returns the offset at which a search begins, or -1 if there can be no match. A negative offset counts from the end. */
function startOffset(length: number, offset: number, soughtLength: number, isForward: boolean): number {
  if (offset < 0) {
    if (offset + length >= 0) return length + offset;
    return isForward || soughtLength === 0 ? 0 : -1;
  }
  if (offset + soughtLength <= length) return offset;
  if (soughtLength === 0) return length;
  return isForward ? -1 : length - 1;
}
