/** Adds methods that read and write numbers to the class Buffer: `readUInt16LE`, `writeInt32BE`, `readDoubleLE` and so on. */
import { checkInteger, codedError, invalidType, outOfRange } from "../errors.ts";

/** The types of numbers. Each has its name in methods of Buffer, its name in methods of DataView, and its size in bytes. */
const TYPES = [
  ["Int8", "Int8", 1],
  ["UInt8", "Uint8", 1],
  ["Int16", "Int16", 2],
  ["UInt16", "Uint16", 2],
  ["Int32", "Int32", 4],
  ["UInt32", "Uint32", 4],
  ["BigInt64", "BigInt64", 8],
  ["BigUInt64", "BigUint64", 8],
  ["Float", "Float32", 4],
  ["Double", "Float64", 8],
] as const;

/** Adds the methods to a prototype. Names with `UInt` also exist with `Uint`. */
export function addNumbers(prototype: object): void {
  addReadUInt(prototype);
  for (const [name, type, size] of TYPES) {
    for (const order of size === 1 ? ([""] as const) : (["LE", "BE"] as const)) {
      const isLittleEndian = order === "LE";
      define(prototype, `read${name}${order}`, function read(this: Uint8Array, offset: unknown = 0) {
        return viewOf(this, offset, size)[`get${type}`](0, isLittleEndian);
      });
      define(prototype, `write${name}${order}`, function write(this: Uint8Array, value: unknown, offset: unknown = 0) {
        checkValue(name, size, value);
        const view = viewOf(this, offset, size);
        if (type === "BigInt64" || type === "BigUint64") view[`set${type}`](0, BigInt(String(value)), isLittleEndian);
        else view[`set${type}`](0, Number(value), isLittleEndian);
        return Number(offset) + size;
      });
    }
  }
}

/** Adds `readUIntLE` and `readUIntBE`, for integers of one to six bytes. */
function addReadUInt(prototype: object): void {
  for (const isLittleEndian of [true, false]) {
    const read = function readUInt(this: Uint8Array, offset: unknown, size: unknown): number {
      checkInteger("byteLength", size, 1, 6);
      checkOffset(this, offset, size);
      const bytes = this.subarray(offset, offset + size);
      return (isLittleEndian ? bytes.toReversed() : bytes).reduce((number, byte) => 256 * number + byte, 0);
    };
    define(prototype, `readUInt${isLittleEndian ? "LE" : "BE"}`, read);
  }
}

/** Defines a method by its name, and, as in Node.js, by its name with `Uint` in place of `UInt`. */
function define(prototype: object, name: string, value: (...values: never[]) => unknown): void {
  for (const key of new Set([name, name.replace("UInt", "Uint")])) {
    Object.defineProperty(prototype, key, { value, configurable: true, writable: true });
  }
}

/** Returns a view of the bytes at an offset. @throws the error that Node.js throws for an invalid offset */
function viewOf(bytes: Uint8Array, offset: unknown, size: number): DataView {
  checkOffset(bytes, offset, size);
  return new DataView(bytes.buffer, bytes.byteOffset + offset, size);
}

/** @throws the error that Node.js throws, unless `size` bytes begin at the offset */
function checkOffset(bytes: Uint8Array, offset: unknown, size: number): asserts offset is number {
  if (typeof offset !== "number") throw invalidType("offset", "of type number", offset);
  if (!Number.isInteger(offset)) throw outOfRange("offset", "an integer", offset);
  const maxOffset = bytes.length - size;
  if (maxOffset < 0) {
    throw codedError("ERR_BUFFER_OUT_OF_BOUNDS", "Attempt to access memory outside buffer bounds", RangeError);
  }
  if (offset < 0 || offset > maxOffset) throw outOfRange("offset", `>= 0 and <= ${maxOffset}`, offset);
}

/** @throws the error that Node.js throws for a value outside of the range of the type */
function checkValue(name: string, size: number, value: unknown): void {
  if (name === "Float" || name === "Double") return;
  if (name.startsWith("Big") !== (typeof value === "bigint")) {
    throw new TypeError("Cannot mix BigInt and other types, use explicit conversions");
  }
  const bits = 8 * size;
  const isSigned = !name.includes("UInt");
  const minValue = isSigned ? -(2n ** BigInt(bits - 1)) : 0n;
  const maxValue = 2n ** BigInt(isSigned ? bits - 1 : bits) - 1n;
  if (typeof value === "bigint") {
    if (value >= minValue && value <= maxValue) return;
  } else {
    // QuickJS compares negative numbers with BigInts wrongly, so both sides are converted to numbers.
    const number = Number(value);
    const isOutside = number < Number(minValue) || number > Number(maxValue);
    if (!isOutside) return;
  }
  // As in Node.js, the message has powers of two for types of more than four bytes.
  const longRange = isSigned ? `>= -(2n ** ${bits - 1}n) and < 2n ** ${bits - 1}n` : `>= 0n and < 2n ** ${bits}n`;
  throw outOfRange("value", size > 4 ? longRange : `>= ${minValue} and <= ${maxValue}`, value);
}
