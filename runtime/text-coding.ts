/**
 * The classes TextEncoder and TextDecoder of the executable's runtime (WHATWG Encoding), which are globals. The decoder supports
 * only UTF-8 and UTF-16LE, because sophia-run's code uses no other encoding.
 */
import { native, UTF16LE, UTF8 } from "./bytes/encodings.ts";
import { codedError, invalidType } from "./errors.ts";

/** Encodes text as UTF-8. */
export class TextEncoder {
  get encoding(): string {
    return "utf-8";
  }

  encode(text: unknown = ""): Uint8Array<ArrayBuffer> {
    return new Uint8Array(native.encode(String(text), UTF8));
  }
}

/** The names of the encodings by the labels that a caller may use. */
const LABELS: Readonly<Record<string, string>> = {
  "utf-8": "utf-8",
  utf8: "utf-8",
  "unicode-1-1-utf-8": "utf-8",
  "utf-16le": "utf-16le",
  "utf-16": "utf-16le",
};

const BYTE_ORDER_MARK = "\uFEFF";

export class TextDecoder {
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** The bytes at the end of the last chunk that are the beginning of a character, but not all of it. */
  #incompleteBytes = new Uint8Array(0);
  /** True if an earlier chunk contained the beginning of the text, where a byte order mark may be. */
  #hasBegun = false;

  constructor(label = "utf-8", options: { readonly fatal?: boolean; readonly ignoreBOM?: boolean } = {}) {
    const encoding = LABELS[label.trim().toLowerCase()];
    if (encoding === undefined) {
      throw codedError("ERR_ENCODING_NOT_SUPPORTED", `The "${label}" encoding is not supported`, RangeError);
    }
    this.encoding = encoding;
    this.fatal = options.fatal === true;
    this.ignoreBOM = options.ignoreBOM === true;
  }

  /**
   * Decodes bytes. With the option `stream`, further chunks follow, and an incomplete character at the end is decoded with the
   * next.
   */
  decode(input?: unknown, options: { readonly stream?: boolean } = {}): string {
    const chunk = bytesOf(input);
    const bytes = new Uint8Array(this.#incompleteBytes.length + chunk.length);
    bytes.set(this.#incompleteBytes);
    bytes.set(chunk, this.#incompleteBytes.length);
    const isLast = options.stream !== true;
    const isUtf8 = this.encoding === "utf-8";
    const incompleteLength = isUtf8 ? native.cutLength(bytes) : bytes.length % 2;
    const end = isLast ? bytes.length : bytes.length - incompleteLength;
    const completeBytes = bytes.subarray(0, end);
    this.#incompleteBytes = isLast ? new Uint8Array(0) : bytes.slice(end);
    if (this.fatal && isUtf8 && !native.isUtf8(completeBytes)) {
      this.#hasBegun = false;
      throw codedError(
        "ERR_ENCODING_INVALID_ENCODED_DATA",
        `The encoded data was not valid for encoding ${this.encoding}`,
        TypeError,
      );
    }
    const text = native.decode(completeBytes, 0, end, isUtf8 ? UTF8 : UTF16LE);
    const dropsMark = !this.ignoreBOM && !this.#hasBegun && text.startsWith(BYTE_ORDER_MARK);
    this.#hasBegun = !isLast && (this.#hasBegun || text !== "");
    return dropsMark ? text.slice(1) : text;
  }
}

/** Returns the bytes of an argument of `decode`, without a copy. @throws the error that Node.js throws for any other type */
function bytesOf(input: unknown): Uint8Array {
  if (input === undefined) return new Uint8Array(0);
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer) return new Uint8Array(input);
  throw invalidType("list", "an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView", input);
}
