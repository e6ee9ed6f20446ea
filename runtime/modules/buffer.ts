/**
 * The module node:buffer of the executable's runtime. Its class Buffer is a Uint8Array with the methods that Node.js adds.
 * runtime/native/bytes.c encodes, decodes, searches and copies. Each message of the broker creates Buffers, so that the constructor
 * and `subarray` avoid what is slow in the engine QuickJS.
 */
import { bytesOfText, encodingOf, findEncoding, lengthOfText, native, UTF8 } from "../bytes/encodings.ts";
import { addNumbers } from "../bytes/numbers.ts";
import { find } from "../bytes/search.ts";
import { checkInteger, codedError, invalidType, invalidValue, outOfRange } from "../errors.ts";

/** The limit on the length of a Buffer in Node.js 22 and later. Memory runs out before. */
const MAX_LENGTH = Number.MAX_SAFE_INTEGER;

/** The end of the message for a value of which no Buffer can be made. */
const EXPECTED_SOURCES = "of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object";

/** The class Buffer. It has another name here, because its type differs from that of Node.js; see the export below. */
class Bytes extends Uint8Array<ArrayBuffer> {
  /** Exists since the constructor that JavaScript adds by default would put the arguments into an array, which is slow. */
  constructor(source: number | ArrayBuffer, offset?: number, length?: number) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a number has no overload with further parameters
    super(source as ArrayBuffer, offset, length);
  }

  static override from(value: unknown, encodingOrOffset?: unknown, length?: unknown): Bytes {
    if (typeof value === "string") {
      const encoding =
        typeof encodingOrOffset === "string" && encodingOrOffset !== "" ? encodingOf(encodingOrOffset) : UTF8;
      return new Bytes(native.encode(value, encoding));
    }
    if (typeof value !== "object" || value === null) throw invalidType("first argument", EXPECTED_SOURCES, value);
    if (value instanceof Uint8Array) {
      const buffer = new Bytes(value.length);
      native.copyBytes(value, 0, value.length, buffer, 0);
      return buffer;
    }
    if (isArrayBuffer(value)) return fromArrayBuffer(value, encodingOrOffset, length);
    const primitive: unknown = value.valueOf();
    const isSource = typeof primitive === "string" || (typeof primitive === "object" && primitive !== null);
    if (primitive !== value && isSource) return Bytes.from(primitive, encodingOrOffset, length);
    const list = "length" in value ? value : dataOfJson(value);
    if (typeof list !== "object" || list === null) throw invalidType("first argument", EXPECTED_SOURCES, value);
    const count = "length" in list && typeof list.length === "number" && list.length > 0 ? Math.trunc(list.length) : 0;
    const buffer = new Bytes(count);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- set() reads only the length and the elements
    buffer.set(list as ArrayLike<number>);
    return buffer;
  }

  static override of(...bytes: number[]): Bytes {
    return Bytes.from(bytes);
  }

  static alloc(size: number, fill?: unknown, encoding?: unknown): Bytes {
    checkInteger("size", size, 0, MAX_LENGTH);
    const buffer = new Bytes(size);
    return fill === undefined || fill === 0 || size === 0 ? buffer : buffer.fill(fill, encoding);
  }

  static allocUnsafe(size: number): Bytes {
    checkInteger("size", size, 0, MAX_LENGTH);
    return new Bytes(size);
  }

  static isBuffer(value: unknown): value is Bytes {
    return value instanceof Bytes;
  }

  static isEncoding(name: unknown): boolean {
    return typeof name === "string" && findEncoding(name) !== undefined;
  }

  static byteLength(value: unknown, encoding?: unknown): number {
    // As in Node.js, an unknown encoding is taken for UTF-8.
    if (typeof value === "string") return lengthOfText(value, encoding ? (findEncoding(encoding) ?? UTF8) : UTF8);
    if (ArrayBuffer.isView(value) || isArrayBuffer(value)) return value.byteLength;
    throw invalidType("string", "of type string or an instance of Buffer or ArrayBuffer", value);
  }

  static concat(list: readonly Uint8Array[], length?: number): Bytes {
    if (!Array.isArray(list)) throw invalidType("list", "an instance of Array", list);
    if (list.length === 0) return new Bytes(0);
    if (length !== undefined) checkInteger("length", length, 0, MAX_LENGTH);
    const totalLength = native.lengthOfAll(list);
    // A negative number names the element that is not a Uint8Array.
    if (totalLength < 0) {
      const index = -totalLength - 1;
      throw invalidType(`list[${index}]`, "an instance of Buffer or Uint8Array", list[index]);
    }
    const buffer = new Bytes(length ?? totalLength);
    native.copyAll(list, buffer);
    return buffer;
  }

  static compare(bytes: unknown, others: unknown): number {
    if (!(bytes instanceof Uint8Array)) throw invalidType("buf1", "an instance of Buffer or Uint8Array", bytes);
    if (!(others instanceof Uint8Array)) throw invalidType("buf2", "an instance of Buffer or Uint8Array", others);
    return Math.sign(native.compareBytes(bytes, others));
  }

  /** An old name of `buffer`, which some libraries read. */
  get parent(): ArrayBuffer {
    return this.buffer;
  }

  override toString(encoding?: unknown, start: unknown = 0, end: unknown = this.length): string {
    const endOffset = Math.min(this.length, integerOf(end));
    const startOffset = Math.max(0, integerOf(start));
    return startOffset >= endOffset ? "" : native.decode(this, startOffset, endOffset, encodingOf(encoding));
  }

  override toLocaleString(): string {
    return this.toString();
  }

  toJSON(): { type: "Buffer"; data: number[] } {
    return { type: "Buffer", data: Array.from(this) };
  }

  equals(others: unknown): boolean {
    if (!(others instanceof Uint8Array)) {
      throw invalidType("otherBuffer", "an instance of Buffer or Uint8Array", others);
    }
    return this.length === others.length && native.compareBytes(this, others) === 0;
  }

  compare(target: unknown, targetStart = 0, targetEnd?: number, start = 0, end = this.length): number {
    if (!(target instanceof Uint8Array)) throw invalidType("target", "an instance of Buffer or Uint8Array", target);
    const targetEndOffset = targetEnd ?? target.length;
    checkInteger("targetStart", targetStart, 0, MAX_LENGTH);
    checkInteger("targetEnd", targetEndOffset, 0, target.length);
    checkInteger("sourceStart", start, 0, MAX_LENGTH);
    checkInteger("sourceEnd", end, 0, this.length);
    if (start >= end) return targetStart >= targetEndOffset ? 0 : -1;
    if (targetStart >= targetEndOffset) return 1;
    return Bytes.compare(this.subarray(start, end), target.subarray(targetStart, targetEndOffset));
  }

  override subarray(start?: number, end?: number): Bytes {
    const { length } = this;
    const startOffset = isWithin(start, length) ? start : clamp(start, 0, length);
    const endOffset = isWithin(end, length) ? end : clamp(end, length, length);
    return new Bytes(this.buffer, this.byteOffset + startOffset, endOffset > startOffset ? endOffset - startOffset : 0);
  }

  /** Shares the memory of this Buffer, while `slice` of Uint8Array copies. */
  override slice(start?: number, end?: number): Bytes {
    return this.subarray(start, end);
  }

  copy(target: unknown, targetStart: unknown = 0, start: unknown = 0, end: unknown = this.length): number {
    if (!(target instanceof Uint8Array)) throw invalidType("target", "an instance of Buffer or Uint8Array", target);
    const targetOffset = integerOf(targetStart);
    const startOffset = integerOf(start);
    const endOffset = integerOf(end);
    if (targetOffset < 0) throw outOfRange("targetStart", ">= 0", targetStart);
    if (startOffset < 0 || startOffset > this.length) {
      throw outOfRange("sourceStart", `>= 0 && <= ${this.length}`, start);
    }
    if (endOffset < 0) throw outOfRange("sourceEnd", ">= 0", end);
    if (targetOffset >= target.length || startOffset >= endOffset) return 0;
    const count = Math.min(endOffset - startOffset, target.length - targetOffset, this.length - startOffset);
    native.copyBytes(this, startOffset, startOffset + count, target, targetOffset);
    return count;
  }

  /** Takes (text), (text, encoding), (text, offset, encoding) or (text, offset, length, encoding). @returns the number of bytes */
  write(text: unknown, offset?: unknown, length?: unknown, encoding?: unknown): number {
    if (typeof text !== "string") throw invalidType("argument", "of type string", text);
    if (typeof offset === "string") return this.write(text, 0, this.length, offset);
    if (offset === undefined) return native.writeInto(text, UTF8, this, 0, this.length);
    const startOffset = offset;
    checkInteger("offset", startOffset, 0, this.length);
    const bytesLeft = this.length - startOffset;
    if (typeof length === "string") return this.write(text, startOffset, bytesLeft, length);
    if (length !== undefined) checkInteger("length", length, 0, this.length);
    const maxBytes = Math.min(bytesLeft, length ?? bytesLeft);
    return native.writeInto(text, encodingOf(encoding || undefined), this, startOffset, maxBytes);
  }

  /** Takes (value), (value, encoding), (value, start, encoding) or (value, start, end, encoding). */
  override fill(value: unknown, start?: unknown, end?: unknown, encoding?: unknown): this {
    const fillsAll = start === undefined || typeof start === "string";
    const [startOffset, endArgument] = fillsAll ? [0, this.length] : [start, typeof end === "string" ? undefined : end];
    const encodingName = fillsAll ? start : typeof end === "string" ? end : encoding;
    const pattern = patternOf(value, encodingName);
    checkInteger("offset", startOffset, 0, MAX_LENGTH);
    const endOffset = endArgument ?? this.length;
    checkInteger("end", endOffset, 0, this.length);
    if (startOffset >= endOffset) return this;
    if (typeof pattern === "number") return super.fill(pattern, startOffset, endOffset);
    if (pattern.length === 0) throw invalidValue("value", value);
    for (let offset = startOffset; offset < endOffset; offset += pattern.length) {
      native.copyBytes(pattern, 0, Math.min(pattern.length, endOffset - offset), this, offset);
    }
    return this;
  }

  override indexOf(value: unknown, from?: unknown, encoding?: unknown): number {
    if (typeof value === "number" && isWithin(from, this.length)) return super.indexOf(value & 255, from);
    return find(this, value, from, encoding, true);
  }

  override lastIndexOf(value: unknown, from?: unknown, encoding?: unknown): number {
    return find(this, value, from, encoding, false);
  }

  override includes(value: unknown, from?: unknown, encoding?: unknown): boolean {
    return find(this, value, from, encoding, true) !== -1;
  }
}

Object.defineProperty(Bytes, "name", { value: "Buffer", configurable: true });
addNumbers(Bytes.prototype);
native.useBuffer(Bytes.prototype);

export type Buffer = globalThis.Buffer;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has the methods of Node.js that sophia-run's code uses
export const Buffer = Bytes as unknown as typeof globalThis.Buffer;

export function isUtf8(value: unknown): boolean {
  return native.isUtf8(bytesOf(value));
}

export const { atob, btoa } = globalThis;

/** Returns the bytes in a result of `toJSON`, such as { type: "Buffer", data: [1, 2] }; undefined for any other object. */
function dataOfJson(value: object): unknown {
  return "data" in value && "type" in value && value.type === "Buffer" ? value.data : undefined;
}

function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
}

/** Returns the bytes of a typed array or an ArrayBuffer, without copying them. */
function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (isArrayBuffer(value)) return new Uint8Array(value);
  throw invalidType("input", "an instance of ArrayBuffer, Buffer, or TypedArray", value);
}

/** Returns a Buffer that shares the memory of an ArrayBuffer. */
function fromArrayBuffer(value: ArrayBuffer, offset: unknown, length: unknown): Bytes {
  const startOffset = integerOf(offset);
  const maxSize = value.byteLength - startOffset;
  if (maxSize < 0) throw codedError("ERR_BUFFER_OUT_OF_BOUNDS", '"offset" is outside of buffer bounds', RangeError);
  const size = length === undefined ? maxSize : Math.max(0, Number(length) || 0);
  if (size > maxSize) throw codedError("ERR_BUFFER_OUT_OF_BOUNDS", '"length" is outside of buffer bounds', RangeError);
  return new Bytes(value, startOffset, size);
}

/** Converts an argument to an integer, as JavaScript's own methods do: NaN and `undefined` become 0. */
function integerOf(value: unknown): number {
  return Math.trunc(Number(value)) || 0;
}

/** Returns true for an integer within the bytes, which {@link clamp} need not change. Most offsets are of this kind. */
function isWithin(position: unknown, length: number): position is number {
  return typeof position === "number" && (position | 0) === position && position >= 0 && position <= length;
}

/** Returns the offset within the bytes that an argument means. A negative argument counts from the end. */
function clamp(position: unknown, defaultOffset: number, length: number): number {
  const offset = position === undefined ? defaultOffset : integerOf(position);
  if (offset < 0) return Math.max(0, length + offset);
  return offset > length ? length : offset;
}

/** Returns what `fill` repeats: a byte, or several bytes. */
function patternOf(value: unknown, encoding: unknown): number | Uint8Array {
  if (typeof value === "string") {
    // An unknown encoding is an error even for an empty text.
    const encodingNumber = encodingOf(encoding || undefined);
    return value === "" ? 0 : bytesOfText(value, encodingNumber);
  }
  return value instanceof Uint8Array ? value : Number(value) & 255;
}
