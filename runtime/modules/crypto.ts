/**
 * The parts of node:crypto that sophia-run's code uses: hashes, key derivation, AES-256-GCM, and random numbers. The library AWS-LC does
 * the cryptography; runtime/native/crypto.c calls it. This file checks arguments, and throws the errors that Node.js would throw.
 */
import { Buffer } from "./buffer.ts";
import { checkFunction, checkInteger, codedError, invalidType, outOfRange } from "../errors.ts";
import { natives } from "../native.ts";
import { RANDOM_LIMIT, randomNumber } from "../random.ts";

/** A hash or a cipher in C. The property exists only for the compiler, so that no other object can be used as a handle. */
interface NativeHandle {
  readonly handle: unique symbol;
}

interface Natives {
  /** @param key the key of an HMAC, undefined for a plain hash @returns undefined for an unknown algorithm */
  readonly startHash: (name: string, key: Uint8Array | string | undefined) => NativeHandle | undefined;
  readonly updateHash: (hash: NativeHandle, data: Uint8Array | string) => void;
  readonly finishHash: (hash: NativeHandle) => Buffer;
  readonly fillRandomly: (bytes: Uint8Array) => void;
  /** Compares in constant time: the time does not depend on the bytes. The lengths must be equal. */
  readonly areEqual: (left: Uint8Array, right: Uint8Array) => boolean;
  /** @returns undefined for an unknown algorithm, null for a length that is too large */
  readonly deriveByHkdf: (
    digest: string,
    key: Uint8Array | string,
    salt: Uint8Array | string,
    info: Uint8Array | string,
    length: number,
  ) => Buffer | undefined | null;
  /** @returns false for an unknown algorithm */
  readonly deriveByPbkdf2: (
    digest: string,
    password: Uint8Array | string,
    salt: Uint8Array | string,
    iterations: number,
    length: number,
    callback: (key: Buffer | undefined) => void,
  ) => boolean;
  readonly startCipher: (encrypts: boolean, key: Uint8Array, iv: Uint8Array) => NativeHandle;
  /** Adds data that is authenticated but not encrypted. Must precede `updateCipher`. @returns false if AWS-LC refuses it */
  readonly authenticate: (cipher: NativeHandle, bytes: Uint8Array) => boolean;
  /** @returns the encrypted or decrypted data; undefined if AWS-LC refuses the data */
  readonly updateCipher: (cipher: NativeHandle, data: Uint8Array | string) => Buffer | undefined;
  /** @returns false if a decryption has found that the tag does not match; always true for an encryption */
  readonly finishCipher: (cipher: NativeHandle) => boolean;
  /** Sets the tag that a decryption compares. @returns false unless it has 16 bytes, and AWS-LC accepts it */
  readonly setTag: (cipher: NativeHandle, tag: Uint8Array) => boolean;
  /** @returns the tag of an encryption; undefined before `finishCipher` */
  readonly tagOf: (cipher: NativeHandle) => Buffer | undefined;
  /** @returns the reason why the first certificate cannot be parsed, such as PEM_NO_START_LINE; undefined if it can be parsed */
  readonly problemOfCertificate: (bytes: Uint8Array) => string | undefined;
}

const native = natives<Natives>();

type Data = string | ArrayBufferView | ArrayBuffer;

/**
 * Returns data for the C functions. They encode text as UTF-8, so that this function need not do it.
 *
 * @param name the name of the argument, for an error
 */
function toNativeData(name: string, data: Data, encoding?: BufferEncoding): Uint8Array | string {
  if (typeof data === "string") {
    return encoding === undefined || encoding === "utf8" || encoding === "utf-8" ? data : Buffer.from(data, encoding);
  }
  return toBytes(name, data);
}

function toBytes(name: string, data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw invalidType(name, "of type string or an instance of Buffer, TypedArray, or DataView", data);
}

/** Returns a result as text, or as bytes if the caller names no encoding. */
function encodeResult(result: Buffer, encoding: BufferEncoding | "buffer" | undefined): Buffer | string {
  return encoding === undefined || encoding === "buffer" ? result : result.toString(encoding);
}

function invalidDigest(name: string): Error {
  return codedError("ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${name}`, TypeError);
}

/** A plain hash, or an HMAC, which has a key. */
class Hash {
  readonly #handle: NativeHandle;
  readonly #isKeyed: boolean;
  #isFinished = false;

  constructor(handle: NativeHandle, isKeyed: boolean) {
    this.#handle = handle;
    this.#isKeyed = isKeyed;
  }

  update(data: Data, encoding?: BufferEncoding): this {
    this.#checkNotFinished();
    native.updateHash(this.#handle, toNativeData("data", data, encoding));
    return this;
  }

  digest(encoding?: BufferEncoding | "buffer"): Buffer | string {
    // As in Node.js, a second call returns an empty result for an HMAC, and throws for a plain hash.
    if (this.#isFinished && this.#isKeyed) return encodeResult(Buffer.alloc(0), encoding);
    this.#checkNotFinished();
    this.#isFinished = true;
    return encodeResult(native.finishHash(this.#handle), encoding);
  }

  #checkNotFinished(): void {
    if (this.#isFinished) throw codedError("ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
  }
}

export function createHash(algorithm: string): Hash {
  const handle = native.startHash(algorithm, undefined);
  if (handle === undefined) throw new Error("Digest method not supported");
  return new Hash(handle, false);
}

export function createHmac(algorithm: string, key: Data): Hash {
  const handle = native.startHash(algorithm, toNativeData("key", key));
  if (handle === undefined) throw invalidDigest(algorithm);
  return new Hash(handle, true);
}

/** Hashes all data at once. As in Node.js, the error has another text than the error of `createHash`. */
export function hash(algorithm: string, data: Data, encoding: BufferEncoding | "buffer" = "hex"): Buffer | string {
  const handle = native.startHash(algorithm, undefined);
  if (handle === undefined) throw new Error(`Digest method ${algorithm} is not supported`);
  return new Hash(handle, false).update(data).digest(encoding);
}

export function randomBytes(size: number): Buffer {
  if (typeof size !== "number") throw invalidType("size", "of type number", size);
  if (!(size >= 0 && size < 2 ** 31)) throw outOfRange("size", ">= 0 && <= 2147483647", size);
  const result = Buffer.alloc(size);
  native.fillRandomly(result);
  return result;
}

/** Takes (max) or (min, max), where min is 0 by default. Returns one of the integers from min to max - 1, all equally likely. */
export function randomInt(minOrMax: number, maxArgument?: number): number {
  const [min, max] = maxArgument === undefined ? [0, minOrMax] : [minOrMax, maxArgument];
  for (const [name, value] of Object.entries({ min, max })) {
    if (Number.isSafeInteger(value)) continue;
    throw codedError("ERR_INVALID_ARG_TYPE", `The "${name}" argument must be a safe integer.`, TypeError);
  }
  const range = max - min;
  if (range <= 0) throw outOfRange("max", `greater than the value of "min" (${min})`, max);
  if (range >= RANDOM_LIMIT) throw outOfRange("max - min", `<= ${RANDOM_LIMIT - 1}`, range);
  // Numbers from this limit on are rejected, because they would make small results likelier.
  const unbiasedLimit = RANDOM_LIMIT - (RANDOM_LIMIT % range);
  for (;;) {
    const number = randomNumber();
    if (number < unbiasedLimit) return min + (number % range);
  }
}

/** Compares in constant time. @throws the error that Node.js throws if the lengths differ */
export function timingSafeEqual(left: Data, right: Data): boolean {
  const leftBytes = toBytes("buf1", left);
  const rightBytes = toBytes("buf2", right);
  if (leftBytes.length !== rightBytes.length) {
    const message = "Input buffers must have the same byte length";
    throw codedError("ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH", message, RangeError);
  }
  return native.areEqual(leftBytes, rightBytes);
}

export function hkdfSync(digest: string, key: Data, salt: Data, info: Data, length: number): ArrayBuffer {
  const derived = native.deriveByHkdf(
    digest,
    toNativeData("key", key),
    toNativeData("salt", salt),
    toNativeData("info", info),
    length,
  );
  if (derived === undefined) throw invalidDigest(digest);
  if (derived === null) throw codedError("ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length", RangeError);
  const result = new ArrayBuffer(derived.length);
  new Uint8Array(result).set(derived);
  // This copy is wiped, so that only the caller holds the key.
  derived.fill(0);
  return result;
}

/** Derives a key on another thread, and calls back with it. */
export function pbkdf2(
  password: Data,
  salt: Data,
  iterations: number,
  length: number,
  digest: string,
  callback: (error: Error | null, key?: Buffer) => void,
): void {
  checkInteger("iterations", iterations, 1, 2 ** 31 - 1);
  checkInteger("keylen", length, 0, 2 ** 31 - 1);
  checkFunction("callback", callback);
  const isKnown = native.deriveByPbkdf2(
    digest,
    toNativeData("password", password),
    toNativeData("salt", salt),
    iterations,
    length,
    (key) => (key === undefined ? callback(new Error("Key derivation failed")) : callback(null, key)),
  );
  if (!isKnown) throw invalidDigest(digest);
}

const CIPHER_NAME = "aes-256-gcm";
const KEY_BYTES = 32;
const TAG_BYTES = 16;

/** The base of the two classes for encryption and decryption. AES-256-GCM is the only cipher that sophia-run uses. */
class AesGcm {
  protected readonly handle: NativeHandle;
  protected isFinished = false;

  constructor(encrypts: boolean, name: string, key: Data, iv: Data) {
    if (name.toLowerCase() !== CIPHER_NAME) throw codedError("ERR_CRYPTO_UNKNOWN_CIPHER", "Unknown cipher");
    const keyBytes = toBytes("key", key);
    const ivBytes = toBytes("iv", iv);
    if (keyBytes.length !== KEY_BYTES) throw codedError("ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length", RangeError);
    if (ivBytes.length === 0) throw codedError("ERR_CRYPTO_INVALID_IV", "Invalid initialization vector", TypeError);
    this.handle = native.startCipher(encrypts, keyBytes, ivBytes);
  }

  setAAD(data: Data): this {
    if (this.isFinished || !native.authenticate(this.handle, toBytes("buffer", data))) throw invalidState("setAAD");
    return this;
  }

  /** Always returns bytes: sophia-run passes no encoding for the output. */
  update(data: Data, encoding?: BufferEncoding): Buffer {
    const result = this.isFinished ? undefined : native.updateCipher(this.handle, toNativeData("data", data, encoding));
    if (result === undefined) throw new Error("Trying to add data in unsupported state");
    return result;
  }
}

function invalidState(operation: string): Error {
  return codedError("ERR_CRYPTO_INVALID_STATE", `Invalid state for operation ${operation}`);
}

class Cipheriv extends AesGcm {
  final(): Buffer {
    if (this.isFinished || !native.finishCipher(this.handle)) throw invalidState("final");
    this.isFinished = true;
    return Buffer.alloc(0);
  }

  getAuthTag(): Buffer {
    const tag = this.isFinished ? native.tagOf(this.handle) : undefined;
    if (tag === undefined) throw invalidState("getAuthTag");
    return tag;
  }
}

class Decipheriv extends AesGcm {
  #hasTag = false;

  /** Refuses shortened tags, which Node.js accepts, because they are easier to forge. */
  setAuthTag(tag: Data): this {
    const tagBytes = toBytes("buffer", tag);
    if (tagBytes.length !== TAG_BYTES) {
      const message = `Invalid authentication tag length: ${tagBytes.length}`;
      throw codedError("ERR_CRYPTO_INVALID_AUTH_TAG", message, TypeError);
    }
    if (this.isFinished || this.#hasTag || !native.setTag(this.handle, tagBytes)) throw invalidState("setAuthTag");
    this.#hasTag = true;
    return this;
  }

  /** @throws if the tag does not match: the data that `update` has returned must not be used then */
  final(): Buffer {
    const isAuthentic = !this.isFinished && this.#hasTag && native.finishCipher(this.handle);
    this.isFinished = true;
    if (!isAuthentic) throw new Error("Unsupported state or unable to authenticate data");
    return Buffer.alloc(0);
  }
}

/** Values of the parameter `encrypts` of AesGcm. */
const [ENCRYPTS, DECRYPTS] = [true, false];

export function createCipheriv(name: string, key: Data, iv: Data): Cipheriv {
  return new Cipheriv(ENCRYPTS, name, key, iv);
}

export function createDecipheriv(name: string, key: Data, iv: Data): Decipheriv {
  return new Decipheriv(DECRYPTS, name, key, iv);
}

/** Only checks that the first certificate of PEM or DER can be parsed, because sophia-run needs nothing else. */
// oxlint-disable-next-line typescript/no-extraneous-class -- as in Node.js
export class X509Certificate {
  constructor(data: string | Uint8Array) {
    const problem = native.problemOfCertificate(typeof data === "string" ? Buffer.from(data) : toBytes("buffer", data));
    if (problem === undefined) return;
    // PEM_NO_START_LINE becomes "error:PEM routines::no start line".
    const [library = "", ...words] = problem.split("_");
    throw codedError(`ERR_OSSL_${problem}`, `error:${library} routines::${words.join(" ").toLowerCase()}`);
  }
}
