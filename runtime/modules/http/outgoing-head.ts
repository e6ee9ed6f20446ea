import { codedError } from "../../errors.ts";
import { EventEmitter } from "../events.ts";
import { checkName, checkValue, FLAGS, headOf, type HeaderList, isFlat, pairsOf, textsOf } from "./headers.ts";

/** The head of a message that is sent: the fields that are set, and those that follow from what is known of the body. */
export abstract class OutgoingHead extends EventEmitter {
  chunkedEncoding = false;
  shouldKeepAlive = true;
  useChunkedEncodingByDefault = true;
  sendDate = false;
  /** The connection ends behind this message. */
  isLast = false;
  isHeadSent = false;
  /** Milliseconds that the connection is kept, to be announced. */
  keepAliveMs = 0;
  protected hasBody = true;
  protected contentLength: number | undefined;
  protected header: string | undefined;
  /** The connection belongs to an agent, which may use it again. */
  protected isAgents = false;
  #headers: Map<string, [name: string, value: unknown]> | undefined;
  #removed: Set<string> | undefined;

  get headersSent(): boolean {
    return this.header !== undefined;
  }

  setHeader(name: string, value: unknown): this {
    this.#beforeHead("set");
    checkName(name);
    checkValue(name, value);
    this.#set(name.toLowerCase(), name, value);
    return this;
  }

  appendHeader(name: string, value: unknown): this {
    this.#beforeHead("append");
    checkName(name);
    checkValue(name, value);
    const key = name.toLowerCase();
    const present = this.#headers?.get(key);
    if (present === undefined) this.#set(key, name, value);
    else present[1] = [present[1], value].flat();
    return this;
  }

  #set(key: string, name: string, value: unknown): void {
    (this.#headers ??= new Map()).set(key, [name, value]);
  }

  hasHeader(name: string): boolean {
    return this.#headers?.has(name.toLowerCase()) === true;
  }

  /** Also prevents the field that would be added. */
  removeHeader(name: string): void {
    this.#beforeHead("remove");
    const key = name.toLowerCase();
    (this.#removed ??= new Set()).add(key);
    if (key === "date") this.sendDate = false;
    this.#headers?.delete(key);
  }

  #beforeHead(what: string): void {
    if (this.headersSent) throw headersSent(what);
  }

  /** Stores the head: calls `storeHeader` with the first line. */
  protected abstract storeHead(): void;
  /** Sends the head without a body. */
  protected abstract sendHead(): void;

  /**
   * @param given fields in place of those that were set
   * @param status that of an answer
   */
  protected storeHeader(firstLine: string, given?: HeaderList, status?: number): void {
    const texts =
      given === undefined ? textsOf(this.#headers?.values() ?? []) : isFlat(given) ? given : textsOf(pairsOf(given));
    const [fields, flags, length] = headOf(firstLine, texts);
    let text = fields;
    const hasLength = (flags & FLAGS.hasLength) !== 0;
    const hasConnection = (flags & FLAGS.hasConnection) !== 0;
    const hasTrailer = (flags & FLAGS.hasTrailer) !== 0;
    if ((flags & FLAGS.closes) !== 0) this.isLast = true;
    else if (hasConnection) this.shouldKeepAlive = true;
    if ((flags & FLAGS.isChunked) !== 0) this.chunkedEncoding = true;
    if (hasLength) this.contentLength = Number(length);
    if (this.sendDate && (flags & FLAGS.hasDate) === 0) text += `Date: ${new Date().toUTCString()}\r\n`;
    // Answers without a body: a chunk would be the beginning of the next one.
    if (this.chunkedEncoding && (status === 204 || status === 304)) {
      this.chunkedEncoding = false;
      this.shouldKeepAlive = false;
    }
    if (!hasConnection && this.#isRemoved("connection")) this.isLast = !this.shouldKeepAlive;
    else if (!hasConnection) {
      if (this.shouldKeepAlive && (hasLength || this.useChunkedEncodingByDefault || this.isAgents)) {
        text += "Connection: keep-alive\r\n";
        if (this.keepAliveMs > 0 && (flags & FLAGS.hasKeepAlive) === 0) {
          text += `Keep-Alive: timeout=${Math.floor(this.keepAliveMs / 1000)}\r\n`;
        }
      } else {
        this.isLast = true;
        text += "Connection: close\r\n";
      }
    }
    if (!hasLength && (flags & FLAGS.hasEncoding) === 0) {
      if (!this.hasBody) this.chunkedEncoding = false;
      else if (!this.useChunkedEncodingByDefault) this.isLast = true;
      else if (!hasTrailer && !this.#isRemoved("content-length") && this.contentLength !== undefined) {
        text += `Content-Length: ${this.contentLength}\r\n`;
      } else if (!this.#isRemoved("transfer-encoding")) {
        text += "Transfer-Encoding: chunked\r\n";
        this.chunkedEncoding = true;
      } else this.isLast = true;
    }
    if (!this.chunkedEncoding && hasTrailer) {
      const message = "Trailers are invalid with this transfer encoding";
      throw codedError("ERR_HTTP_TRAILER_INVALID", message);
    }
    this.header = `${text}\r\n`;
    this.isHeadSent = false;
    // Sent before the body, which waits for an answer.
    if ((flags & FLAGS.expects) !== 0) this.sendHead();
  }

  #isRemoved(name: string): boolean {
    return this.#removed?.has(name) === true;
  }

  protected hasSetHeaders(): boolean {
    return this.#headers !== undefined;
  }
}

export function headersSent(what: string): Error {
  const message = `Cannot ${what} headers after they are sent to the client`;
  return codedError("ERR_HTTP_HEADERS_SENT", message);
}
