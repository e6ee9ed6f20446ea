/** Implements `indexOf`, `lastIndexOf` and `includes` of the class Buffer, which search for a byte, for bytes or for a text. */
import { invalidType } from "../errors.ts";
import { bytesOfText, encodingOf, findEncoding, native, UTF16LE, UTF8 } from "./encodings.ts";

/**
 * Finds a value in bytes.
 *
 * @param from the offset at which the search begins, negative for an offset from the end; or, without an offset, the encoding
 * @param isForward false to search from the end to the beginning
 * @returns the offset of the first match, or of the last one if the search is not forward; -1 if there is none
 */
export function find(
  bytes: Uint8Array,
  value: unknown,
  from: unknown,
  encodingName: unknown,
  isForward: boolean,
): number {
  const isOffsetOmitted = typeof from === "string";
  const givenOffset = isOffsetOmitted ? Number.NaN : Number(from);
  const defaultOffset = isForward ? 0 : bytes.length;
  const offset = Number.isNaN(givenOffset) ? defaultOffset : Math.trunc(givenOffset);
  if (typeof value === "number") return findByte(bytes, value & 255, offset, isForward);
  // `?? undefined`, because null also means the default encoding.
  const name = (isOffsetOmitted ? from : encodingName) ?? undefined;
  if (typeof value === "string") {
    const encoding = encodingOf(name);
    return findSequence(bytes, bytesOfText(value, encoding), offset, encoding, isForward);
  }
  if (value instanceof Uint8Array) return findSequence(bytes, value, offset, findEncoding(name) ?? UTF8, isForward);
  const expected = "one of type number or string or an instance of Buffer or Uint8Array";
  throw invalidType("value", expected, value);
}

/** Returns the offset of the first byte of this value, or of the last one if the search is not forward; -1 if there is none. */
function findByte(bytes: Uint8Array, byte: number, offset: number, isForward: boolean): number {
  const start = startOffset(bytes.length, offset, 1, isForward);
  if (start < 0 || bytes.length === 0) return -1;
  return isForward
    ? Uint8Array.prototype.indexOf.call(bytes, byte, start)
    : Uint8Array.prototype.lastIndexOf.call(bytes, byte, start);
}

/** Does the same for several bytes. */
function findSequence(
  bytes: Uint8Array,
  sought: Uint8Array,
  offset: number,
  encoding: number,
  isForward: boolean,
): number {
  const start = startOffset(bytes.length, offset, sought.length, isForward);
  if (sought.length === 0 || start < 0) return start;
  // In UTF-16, a match must begin at the beginning of a code unit, which has two bytes.
  const step = encoding === UTF16LE ? 2 : 1;
  if (bytes.length < step || sought.length < step) return -1;
  return isForward
    ? native.findBytes(bytes, sought, start, step)
    : native.findBytesBackwards(bytes, sought, start, step);
}

/** Returns the offset at which a search begins, or -1 if there can be no match. A negative offset counts from the end. */
function startOffset(length: number, offset: number, soughtLength: number, isForward: boolean): number {
  // As in Node.js, an empty value is found at the offset, or at the end if the offset is larger.
  if (offset < 0) {
    if (offset + length >= 0) return length + offset;
    return isForward || soughtLength === 0 ? 0 : -1;
  }
  if (offset + soughtLength <= length) return offset;
  if (soughtLength === 0) return length;
  return isForward ? -1 : length - 1;
}
