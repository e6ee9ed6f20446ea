/** The parts of node:crypto that the bundle uses. */
import { Buffer } from "./buffer.ts";
import { checkFunction, checkInteger, codedError, invalidType, outOfRange } from "../errors.ts";
import { natives } from "../native.ts";
import { RANDOM_LIMIT, randomNumber } from "../random.ts";

interface Handle {
  readonly handle: unique symbol;
}

interface Natives {
  /** @returns undefined for an unknown algorithm */
  readonly startHash: (name: string, key: Uint8Array | string | undefined) => Handle | undefined;
  readonly updateHash: (hash: Handle, data: Uint8Array | string) => void;
  readonly finishHash: (hash: Handle) => Buffer;
  readonly fillRandomly: (bytes: Uint8Array) => void;
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
  readonly startCipher: (encrypts: boolean, key: Uint8Array, vector: Uint8Array) => Handle;
  readonly authenticate: (cipher: Handle, bytes: Uint8Array) => boolean;
  readonly updateCipher: (cipher: Handle, data: Uint8Array | string) => Buffer | undefined;
  readonly finishCipher: (cipher: Handle) => boolean;
  readonly setTag: (cipher: Handle, tag: Uint8Array) => boolean;
  readonly tagOf: (cipher: Handle) => Buffer | undefined;
  /** @returns undefined if the first certificate can be parsed, else such as PEM_NO_START_LINE */
  readonly problemOfCertificate: (bytes: Uint8Array) => string | undefined;
}

const native = natives<Natives>();

type Data = string | ArrayBufferView | ArrayBuffer;

/** Returns what the C functions take. Text is UTF-8 unless another encoding is named. */
function input(name: string, data: Data, encoding?: BufferEncoding): Uint8Array | string {
  if (typeof data === "string") {
    return encoding === undefined || encoding === "utf8" || encoding === "utf-8" ? data : Buffer.from(data, encoding);
  }
  return bytes(name, data);
}

function bytes(name: string, data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw invalidType(name, "of type string or an instance of Buffer, TypedArray, or DataView", data);
}

function encoded(result: Buffer, encoding: BufferEncoding | "buffer" | undefined): Buffer | string {
  return encoding === undefined || encoding === "buffer" ? result : result.toString(encoding);
}

function invalidDigest(name: string): Error {
  return codedError("ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${name}`, TypeError);
}

class Hash {
  readonly #handle: Handle;
  readonly #isKeyed: boolean;
  #isFinished = false;

  constructor(handle: Handle, isKeyed: boolean) {
    this.#handle = handle;
    this.#isKeyed = isKeyed;
  }

  update(data: Data, encoding?: BufferEncoding): this {
    this.#check();
    native.updateHash(this.#handle, input("data", data, encoding));
    return this;
  }

  digest(encoding?: BufferEncoding | "buffer"): Buffer | string {
    // As in Node.js, where only a plain hash refuses this.
    if (this.#isFinished && this.#isKeyed) return encoded(Buffer.alloc(0), encoding);
    this.#check();
    this.#isFinished = true;
    return encoded(native.finishHash(this.#handle), encoding);
  }

  #check(): void {
    if (this.#isFinished) throw codedError("ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
  }
}

export function createHash(algorithm: string): Hash {
  const handle = native.startHash(algorithm, undefined);
  if (handle === undefined) throw new Error("Digest method not supported");
  return new Hash(handle, false);
}

export function createHmac(algorithm: string, key: Data): Hash {
  const handle = native.startHash(algorithm, input("key", key));
  if (handle === undefined) throw invalidDigest(algorithm);
  return new Hash(handle, true);
}

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

/** Returns an integer from `low` (0 if it is left out) to below `high`, each as likely. */
export function randomInt(low: number, high?: number): number {
  const [min, max] = high === undefined ? [0, low] : [low, high];
  for (const [name, value] of Object.entries({ min, max })) {
    if (Number.isSafeInteger(value)) continue;
    throw codedError("ERR_INVALID_ARG_TYPE", `The "${name}" argument must be a safe integer.`, TypeError);
  }
  const range = max - min;
  if (range <= 0) throw outOfRange("max", `greater than the value of "min" (${min})`, max);
  if (range >= RANDOM_LIMIT) throw outOfRange("max - min", `<= ${RANDOM_LIMIT - 1}`, range);
  for (;;) {
    const value = randomNumber();
    // Values above the last multiple of the range would make small results likelier.
    if (value < RANDOM_LIMIT - (RANDOM_LIMIT % range)) return min + (value % range);
  }
}

export function timingSafeEqual(left: Data, right: Data): boolean {
  const [one, other] = [bytes("buf1", left), bytes("buf2", right)];
  if (one.length !== other.length) {
    const message = "Input buffers must have the same byte length";
    throw codedError("ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH", message, RangeError);
  }
  return native.areEqual(one, other);
}

export function hkdfSync(digest: string, key: Data, salt: Data, info: Data, length: number): ArrayBuffer {
  const made = native.deriveByHkdf(digest, input("key", key), input("salt", salt), input("info", info), length);
  if (made === undefined) throw invalidDigest(digest);
  if (made === null) throw codedError("ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length", RangeError);
  const result = new ArrayBuffer(made.length);
  new Uint8Array(result).set(made);
  made.fill(0);
  return result;
}

/** Derives in another thread. */
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
    input("password", password),
    input("salt", salt),
    iterations,
    length,
    (key) => (key === undefined ? callback(new Error("Key derivation failed")) : callback(null, key)),
  );
  if (!isKnown) throw invalidDigest(digest);
}

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const TAG_BYTES = 16;

/** AES-256-GCM, the one cipher of the bundle. */
class Cipher {
  protected readonly handle: Handle;
  protected isFinished = false;

  constructor(encrypts: boolean, name: string, key: Data, vector: Data) {
    if (name.toLowerCase() !== CIPHER) throw codedError("ERR_CRYPTO_UNKNOWN_CIPHER", "Unknown cipher");
    const [secret, start] = [bytes("key", key), bytes("iv", vector)];
    if (secret.length !== KEY_BYTES) throw codedError("ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length", RangeError);
    if (start.length === 0) throw codedError("ERR_CRYPTO_INVALID_IV", "Invalid initialization vector", TypeError);
    this.handle = native.startCipher(encrypts, secret, start);
  }

  setAAD(data: Data): this {
    if (this.isFinished || !native.authenticate(this.handle, bytes("buffer", data))) throw invalidState("setAAD");
    return this;
  }

  update(data: Data, encoding?: BufferEncoding): Buffer {
    const result = this.isFinished ? undefined : native.updateCipher(this.handle, input("data", data, encoding));
    if (result === undefined) throw new Error("Trying to add data in unsupported state");
    return result;
  }
}

function invalidState(operation: string): Error {
  return codedError("ERR_CRYPTO_INVALID_STATE", `Invalid state for operation ${operation}`);
}

class Cipheriv extends Cipher {
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

class Decipheriv extends Cipher {
  #hasTag = false;

  /** Takes whole tags alone: a shorter one is easier to forge. */
  setAuthTag(tag: Data): this {
    const expected = bytes("buffer", tag);
    if (expected.length !== TAG_BYTES) {
      const message = `Invalid authentication tag length: ${expected.length}`;
      throw codedError("ERR_CRYPTO_INVALID_AUTH_TAG", message, TypeError);
    }
    if (this.isFinished || this.#hasTag || !native.setTag(this.handle, expected)) throw invalidState("setAuthTag");
    this.#hasTag = true;
    return this;
  }

  final(): Buffer {
    const isRight = !this.isFinished && this.#hasTag && native.finishCipher(this.handle);
    this.isFinished = true;
    if (!isRight) throw new Error("Unsupported state or unable to authenticate data");
    return Buffer.alloc(0);
  }
}

export function createCipheriv(name: string, key: Data, vector: Data): Cipheriv {
  return new Cipheriv(true, name, key, vector);
}

export function createDecipheriv(name: string, key: Data, vector: Data): Decipheriv {
  return new Decipheriv(false, name, key, vector);
}

/** Checks that the first certificate of PEM or DER can be parsed; the bundle asks for nothing else. */
// oxlint-disable-next-line typescript/no-extraneous-class -- as in Node.js
export class X509Certificate {
  constructor(data: string | Uint8Array) {
    const problem = native.problemOfCertificate(typeof data === "string" ? Buffer.from(data) : bytes("buffer", data));
    if (problem === undefined) return;
    const [library = "", ...words] = problem.split("_");
    throw codedError(`ERR_OSSL_${problem}`, `error:${library} routines::${words.join(" ").toLowerCase()}`);
  }
}
