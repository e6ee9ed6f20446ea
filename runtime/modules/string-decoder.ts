/** The StringDecoder of node:string_decoder. */
import { BASE64, BASE64URL, encodingOf, native, UTF16LE, UTF8 } from "../bytes/encodings.ts";
import { Buffer } from "./buffer.ts";

/** Decodes chunks of bytes. The first bytes of a character that a chunk does not complete wait for the next chunk. */
export class StringDecoder {
  readonly encoding: string;
  readonly #encoding: number;
  #incompleteBytes: Uint8Array = new Uint8Array(0);

  constructor(encoding?: string) {
    this.encoding = encoding ?? "utf8";
    this.#encoding = encodingOf(encoding);
  }

  write(chunk: Uint8Array | string): string {
    if (typeof chunk === "string") return chunk;
    const bytes = this.#incompleteBytes.length === 0 ? chunk : Buffer.concat([this.#incompleteBytes, chunk]);
    const end = bytes.length - this.#incompleteLength(bytes);
    this.#incompleteBytes = Uint8Array.prototype.slice.call(bytes, end);
    return native.decode(bytes, 0, end, this.#encoding);
  }

  /** Decodes the last chunk. An incomplete character is decoded as it is. */
  end(chunk?: Uint8Array | string): string {
    const text = chunk === undefined ? "" : this.write(chunk);
    const rest = native.decode(this.#incompleteBytes, 0, this.#incompleteBytes.length, this.#encoding);
    this.#incompleteBytes = new Uint8Array(0);
    return text + rest;
  }

  /** Returns the number of bytes at the end that do not make a whole character, or a whole group of base64. */
  #incompleteLength(bytes: Uint8Array): number {
    if (this.#encoding === UTF8) return native.cutLength(bytes);
    if (this.#encoding === BASE64 || this.#encoding === BASE64URL) return bytes.length % 3;
    if (this.#encoding !== UTF16LE) return 0;
    const oddLength = bytes.length % 2;
    const lastHighByte = bytes[bytes.length - oddLength - 1] ?? 0;
    // U+D800 to U+DBFF is the first half of a surrogate pair.
    const isHighSurrogate = (lastHighByte & 0xfc) === 0xd8;
    return oddLength + (isHighSurrogate ? 2 : 0);
  }
}
