/** Searching in bytes, with the offsets of Buffer.indexOf. */
import { invalidType } from "../errors.ts";
import { bytesOfText, encodingOf, findEncoding, native, UTF16LE, UTF8 } from "./encodings.ts";

/** The arguments of Buffer.indexOf and lastIndexOf. */
export function find(
  bytes: Uint8Array,
  value: unknown,
  from: unknown,
  encodingName: unknown,
  isForward: boolean,
): number {
  const isEncoding = typeof from === "string";
  const number = isEncoding ? Number.NaN : Number(from);
  const offset = Number.isNaN(number) ? (isForward ? 0 : bytes.length) : Math.trunc(number);
  if (typeof value === "number") return findByte(bytes, value & 255, offset, isForward);
  const name = (isEncoding ? from : encodingName) ?? undefined;
  if (typeof value === "string") {
    const encoding = encodingOf(name);
    return findAll(bytes, bytesOfText(value, encoding), offset, encoding, isForward);
  }
  if (value instanceof Uint8Array) return findAll(bytes, value, offset, findEncoding(name) ?? UTF8, isForward);
  const expected = "one of type number or string or an instance of Buffer or Uint8Array";
  throw invalidType("value", expected, value);
}

function findByte(bytes: Uint8Array, byte: number, offset: number, isForward: boolean): number {
  const start = startAt(bytes.length, offset, 1, isForward);
  if (start < 0 || bytes.length === 0) return -1;
  return isForward
    ? Uint8Array.prototype.indexOf.call(bytes, byte, start)
    : Uint8Array.prototype.lastIndexOf.call(bytes, byte, start);
}

function findAll(bytes: Uint8Array, sought: Uint8Array, offset: number, encoding: number, isForward: boolean): number {
  const start = startAt(bytes.length, offset, sought.length, isForward);
  if (sought.length === 0 || start < 0) return start;
  const step = encoding === UTF16LE ? 2 : 1;
  if (bytes.length < step || sought.length < step) return -1;
  return isForward
    ? native.findBytes(bytes, sought, start, step)
    : native.findBytesBackwards(bytes, sought, start, step);
}

/** Returns where a search begins, or -1: negative offsets count from the end. */
function startAt(length: number, offset: number, soughtLength: number, isForward: boolean): number {
  if (offset < 0) {
    if (offset + length >= 0) return length + offset;
    return isForward || soughtLength === 0 ? 0 : -1;
  }
  if (offset + soughtLength <= length) return offset;
  if (soughtLength === 0) return length;
  return isForward ? -1 : length - 1;
}
