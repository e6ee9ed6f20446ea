/** TextEncoder and TextDecoder (WHATWG, Encoding), for UTF-8 and UTF-16LE, as for Latin-1 nothing asks. */
import { native, UTF16LE, UTF8 } from "./bytes/encodings.ts";
import { codedError, invalidType } from "./errors.ts";

export class TextEncoder {
  get encoding(): string {
    return "utf-8";
  }

  encode(text: unknown = ""): Uint8Array<ArrayBuffer> {
    return new Uint8Array(native.encode(String(text), UTF8));
  }
}

const LABELS: Readonly<Record<string, string>> = {
  "utf-8": "utf-8",
  utf8: "utf-8",
  "unicode-1-1-utf-8": "utf-8",
  "utf-16le": "utf-16le",
  "utf-16": "utf-16le",
};

export class TextDecoder {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** The part of a character at the end of the last chunk. */
  #kept = new Uint8Array(0);
  #isBegun = false;

  constructor(label = "utf-8", options: { readonly fatal?: boolean; readonly ignoreBOM?: boolean } = {}) {
    const encoding = LABELS[label.trim().toLowerCase()];
    if (encoding === undefined) {
      throw codedError("ERR_ENCODING_NOT_SUPPORTED", `The "${label}" encoding is not supported`, RangeError);
    }
    this.encoding = encoding;
    this.fatal = options.fatal === true;
    this.ignoreBOM = options.ignoreBOM === true;
  }

  decode(input?: unknown, options: { readonly stream?: boolean } = {}): string {
    const chunk = bytesOf(input);
    const bytes = new Uint8Array(this.#kept.length + chunk.length);
    bytes.set(this.#kept);
    bytes.set(chunk, this.#kept.length);
    const isLast = options.stream !== true;
    const isUtf8 = this.encoding === "utf-8";
    const end = bytes.length - (isLast ? 0 : isUtf8 ? native.cutLength(bytes) : bytes.length % 2);
    const whole = bytes.subarray(0, end);
    this.#kept = isLast ? new Uint8Array(0) : bytes.slice(end);
    if (this.fatal && isUtf8 && !native.isUtf8(whole)) {
      this.#isBegun = false;
      throw codedError(
        "ERR_ENCODING_INVALID_ENCODED_DATA",
        `The encoded data was not valid for encoding ${this.encoding}`,
        TypeError,
      );
    }
    const text = native.decode(whole, 0, end, isUtf8 ? UTF8 : UTF16LE);
    const isBare = this.ignoreBOM || this.#isBegun || !text.startsWith("\uFEFF");
    this.#isBegun = !isLast && (this.#isBegun || text !== "");
    return isBare ? text : text.slice(1);
  }
}

function bytesOf(input: unknown): Uint8Array {
  if (input === undefined) return new Uint8Array(0);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer) return new Uint8Array(input);
  throw invalidType("list", "an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView", input);
}
