/**
 * The head of a message that node:http sends: the fields that the caller sets, and those that follow from the body and from the
 * connection. `OutgoingMessage` adds the body.
 */
import { codedError } from "../../errors.ts";
import { EventEmitter } from "../events.ts";
import { checkName, checkValue, FLAGS, headOf, type HeaderList, isFlat, pairsOf, textsOf } from "./headers.ts";

export abstract class OutgoingHead extends EventEmitter {
  chunkedEncoding = false;
  shouldKeepAlive = true;
  useChunkedEncodingByDefault = true;
  sendDate = false;
  /** The connection ends behind this message. */
  isLast = false;
  isHeadSent = false;
  /** The milliseconds for which an idle connection is kept, which `Keep-Alive` announces; 0 for no field. */
  keepAliveMs = 0;
  protected hasBody = true;
  /** The length of the body in bytes, if it is known when the head is made. */
  protected contentLength: number | undefined;
  /** The text of the head, once it is made. Fields can no longer be set then. */
  protected header: string | undefined;
  /** The connection belongs to an agent, which may use it again. */
  protected usesAgent = false;
  /** The fields by names in lower case. */
  #headers: Map<string, [name: string, value: unknown]> | undefined;
  /** Fields in lower case that the caller has removed, and that are not added again. */
  #removed: Set<string> | undefined;

  get headersSent(): boolean {
    return this.header !== undefined;
  }

  setHeader(name: string, value: unknown): this {
    this.#checkNotSent("set");
    checkName(name);
    checkValue(name, value);
    this.#set(name.toLowerCase(), name, value);
    return this;
  }

  appendHeader(name: string, value: unknown): this {
    this.#checkNotSent("append");
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

  /** Removes a field. One that would be added by default, such as `Date`, is not added either. */
  removeHeader(name: string): void {
    this.#checkNotSent("remove");
    const key = name.toLowerCase();
    (this.#removed ??= new Set()).add(key);
    if (key === "date") this.sendDate = false;
    this.#headers?.delete(key);
  }

  #checkNotSent(action: string): void {
    if (this.headersSent) throw headersSent(action);
  }

  /** Makes the head: calls `storeHeader` with the first line. */
  protected abstract storeHead(): void;
  /** Sends the head without a body. */
  protected abstract sendHead(): void;

  /**
   * Makes the head. What the fields say about the connection and the body, such as `Connection: close`, is stored in this object.
   *
   * @param firstLine such as "GET / HTTP/1.1\r\n"
   * @param givenFields fields in place of those that were set
   * @param status that of a response
   */
  protected storeHeader(firstLine: string, givenFields?: HeaderList, status?: number): void {
    const [fields, flags, length] = headOf(firstLine, this.#fieldTexts(givenFields));
    if ((flags & FLAGS.closes) !== 0) this.isLast = true;
    else if ((flags & FLAGS.hasConnection) !== 0) this.shouldKeepAlive = true;
    if ((flags & FLAGS.isChunked) !== 0) this.chunkedEncoding = true;
    if ((flags & FLAGS.hasLength) !== 0) this.contentLength = Number(length);
    let text = fields;
    if (this.sendDate && (flags & FLAGS.hasDate) === 0) text += `Date: ${new Date().toUTCString()}\r\n`;
    // These responses have no body. The client would take a chunk for the beginning of the next response.
    if (this.chunkedEncoding && (status === 204 || status === 304)) {
      this.chunkedEncoding = false;
      this.shouldKeepAlive = false;
    }
    if ((flags & FLAGS.hasConnection) === 0) text += this.#connectionFields(flags);
    if ((flags & (FLAGS.hasLength | FLAGS.hasEncoding)) === 0) text += this.#bodyFields(flags);
    if (!this.chunkedEncoding && (flags & FLAGS.hasTrailer) !== 0) {
      const message = "Trailers are invalid with this transfer encoding";
      throw codedError("ERR_HTTP_TRAILER_INVALID", message);
    }
    this.header = `${text}\r\n`;
    this.isHeadSent = false;
    // The caller sends the body only after the server's response to the head.
    if ((flags & FLAGS.expects) !== 0) this.sendHead();
  }

  #fieldTexts(givenFields: HeaderList | undefined): readonly unknown[] {
    if (givenFields === undefined) return textsOf(this.#headers?.values() ?? []);
    return isFlat(givenFields) ? givenFields : textsOf(pairsOf(givenFields));
  }

  /** Decides whether the connection is kept, if no field says so. @returns the fields that announce it */
  #connectionFields(flags: number): string {
    if (this.#isRemoved("connection")) {
      this.isLast = !this.shouldKeepAlive;
      return "";
    }
    const hasLength = (flags & FLAGS.hasLength) !== 0;
    const isEndKnown = hasLength || this.useChunkedEncodingByDefault || this.usesAgent;
    if (!this.shouldKeepAlive || !isEndKnown) {
      this.isLast = true;
      return "Connection: close\r\n";
    }
    const announcesTime = this.keepAliveMs > 0 && (flags & FLAGS.hasKeepAlive) === 0;
    return announcesTime
      ? `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(this.keepAliveMs / 1000)}\r\n`
      : "Connection: keep-alive\r\n";
  }

  /** Decides how the receiver finds the end of the body, if no field says so. @returns the field that announces it */
  #bodyFields(flags: number): string {
    if (!this.hasBody) {
      this.chunkedEncoding = false;
      return "";
    }
    if (!this.useChunkedEncodingByDefault) {
      this.isLast = true;
      return "";
    }
    const hasTrailer = (flags & FLAGS.hasTrailer) !== 0;
    if (!hasTrailer && !this.#isRemoved("content-length") && this.contentLength !== undefined) {
      return `Content-Length: ${this.contentLength}\r\n`;
    }
    if (!this.#isRemoved("transfer-encoding")) {
      this.chunkedEncoding = true;
      return "Transfer-Encoding: chunked\r\n";
    }
    // The body ends with the connection.
    this.isLast = true;
    return "";
  }

  #isRemoved(name: string): boolean {
    return this.#removed?.has(name) === true;
  }

  protected hasSetHeaders(): boolean {
    return this.#headers !== undefined;
  }
}

/** @param action "set", "append", "remove" or "write" */
export function headersSent(action: string): Error {
  const message = `Cannot ${action} headers after they are sent to the client`;
  return codedError("ERR_HTTP_HEADERS_SENT", message);
}
