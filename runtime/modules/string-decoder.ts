/** node:string_decoder. */
import { BASE64, BASE64URL, encodingOf, UTF16LE, UTF8 } from "../bytes/encodings.ts";
import { native } from "../bytes/encodings.ts";
import { Buffer } from "./buffer.ts";

/** Decodes chunks; the part of a character at the end of one waits for the next. */
export class StringDecoder {
  readonly encoding: string;
  readonly #encoding: number;
  #kept: Uint8Array = new Uint8Array(0);

  constructor(encoding?: string) {
    this.encoding = encoding ?? "utf8";
    this.#encoding = encodingOf(encoding);
  }

  write(chunk: Uint8Array | string): string {
    if (typeof chunk === "string") return chunk;
    const bytes = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    const end = bytes.length - this.#cutLength(bytes);
    this.#kept = Uint8Array.prototype.slice.call(bytes, end);
    return native.decode(bytes, 0, end, this.#encoding);
  }

  end(chunk?: Uint8Array | string): string {
    const text = chunk === undefined ? "" : this.write(chunk);
    const rest = native.decode(this.#kept, 0, this.#kept.length, this.#encoding);
    this.#kept = new Uint8Array(0);
    return text + rest;
  }

  #cutLength(bytes: Uint8Array): number {
    if (this.#encoding === UTF8) return native.cutLength(bytes);
    if (this.#encoding === BASE64 || this.#encoding === BASE64URL) return bytes.length % 3;
    if (this.#encoding !== UTF16LE) return 0;
    const odd = bytes.length % 2;
    const last = bytes[bytes.length - odd - 1] ?? 0;
    return odd + ((last & 0xfc) === 0xd8 ? 2 : 0);
  }
}
