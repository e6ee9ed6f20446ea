/** The module node:string_decoder of the executable's runtime. Streams decode by it what they read. */
import { BASE64, BASE64URL, encodingOf, native, UTF16LE, UTF8 } from "../bytes/encodings.ts";
import { Buffer } from "./buffer.ts";

/** Decodes chunks of bytes. If a character begins in one chunk and ends in the next, it is returned with the next chunk. */
export class StringDecoder {
  readonly encoding: string;
  readonly #encodingNumber: number;
  /** The bytes at the end of the last chunk that are not a whole character. */
  #incompleteBytes: Uint8Array = new Uint8Array(0);

  constructor(encoding?: string) {
    this.encoding = encoding ?? "utf8";
    this.#encodingNumber = encodingOf(encoding);
  }

  write(chunk: Uint8Array | string): string {
    if (typeof chunk === "string") return chunk;
    const bytes = this.#incompleteBytes.length === 0 ? chunk : Buffer.concat([this.#incompleteBytes, chunk]);
    const end = bytes.length - this.#incompleteLength(bytes);
    // `slice` of a Buffer would share the memory of the chunk, which the caller may overwrite.
    this.#incompleteBytes = Uint8Array.prototype.slice.call(bytes, end);
    return native.decode(bytes, 0, end, this.#encodingNumber);
  }

  /** Decodes the last chunk. An incomplete character becomes U+FFFD, or what its bytes mean in the encoding. */
  end(chunk?: Uint8Array | string): string {
    const text = chunk === undefined ? "" : this.write(chunk);
    const rest = native.decode(this.#incompleteBytes, 0, this.#incompleteBytes.length, this.#encodingNumber);
    this.#incompleteBytes = new Uint8Array(0);
    return text + rest;
  }

  /** Returns the number of bytes at the end that are not a whole character, or in base64 not a whole group of three bytes. */
  #incompleteLength(bytes: Uint8Array): number {
    if (this.#encodingNumber === UTF8) return native.cutLength(bytes);
    if (this.#encodingNumber === BASE64 || this.#encodingNumber === BASE64URL) return bytes.length % 3;
    if (this.#encodingNumber !== UTF16LE) return 0;
    const oddLength = bytes.length % 2;
    // The second byte of the last whole code unit. From 0xd8 to 0xdb, the unit is the first half of a surrogate pair.
    const lastHighByte = bytes[bytes.length - oddLength - 1] ?? 0;
    const isHighSurrogate = (lastHighByte & 0xfc) === 0xd8;
    return oddLength + (isHighSurrogate ? 2 : 0);
  }
}
