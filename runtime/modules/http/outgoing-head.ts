/**
 * The base class of the messages that node:http sends, with everything about the head: the fields that the caller sets, and the
 * fields that are added because of the body and the connection. `OutgoingMessage` (outgoing.ts) adds the body.
 */
import { codedError } from "../../errors.ts";
import { EventEmitter } from "../events.ts";
import {
  checkFieldName,
  checkFieldValue,
  FIELD_FLAGS,
  formatHead,
  type HeaderList,
  isFlatList,
  toFlatList,
  toPairs,
} from "./headers.ts";

export abstract class OutgoingHead extends EventEmitter {
  chunkedEncoding = false;
  /** False if the connection must not be used for another message. A field `Connection` of the caller takes precedence. */
  shouldKeepAlive = true;
  /** False if the message usually has no body, or if its receiver may not understand chunks. */
  useChunkedEncodingByDefault = true;
  sendDate = false;
  /** True if the connection ends after this message. The head decides it. */
  isLast = false;
  isHeadSent = false;
  /** The milliseconds that `Keep-Alive` announces, for which an idle connection is kept; 0 for no such field. */
  keepAliveMs = 0;
  protected hasBody = true;
  /** The length of the body in bytes, if it is known when the head is created. */
  protected contentLength: number | undefined;
  /** The text of the head; undefined until it is created. After that, no field can be set. */
  protected header: string | undefined;
  /** True for a request whose connection belongs to an agent, which may use it again. */
  protected usesAgent = false;
  /** The fields that the caller has set, by their names in lower case. */
  #headers: Map<string, [name: string, value: unknown]> | undefined;
  /** The names, in lower case, of fields that the caller has removed, and that are not added by default. */
  #removedNames: Set<string> | undefined;

  get headersSent(): boolean {
    return this.header !== undefined;
  }

  setHeader(name: string, value: unknown): this {
    this.#checkNotSent("set");
    checkFieldName(name);
    checkFieldValue(name, value);
    this.#storeField(name.toLowerCase(), name, value);
    return this;
  }

  appendHeader(name: string, value: unknown): this {
    this.#checkNotSent("append");
    checkFieldName(name);
    checkFieldValue(name, value);
    const lowerName = name.toLowerCase();
    const field = this.#headers?.get(lowerName);
    if (field === undefined) this.#storeField(lowerName, name, value);
    else field[1] = [field[1], value].flat();
    return this;
  }

  #storeField(lowerName: string, name: string, value: unknown): void {
    (this.#headers ??= new Map()).set(lowerName, [name, value]);
  }

  hasHeader(name: string): boolean {
    return this.#headers?.has(name.toLowerCase()) === true;
  }

  /** Removes a field. One that would be added by default, such as `Date`, is not added either. */
  removeHeader(name: string): void {
    this.#checkNotSent("remove");
    const lowerName = name.toLowerCase();
    (this.#removedNames ??= new Set()).add(lowerName);
    if (lowerName === "date") this.sendDate = false;
    this.#headers?.delete(lowerName);
  }

  #checkNotSent(action: string): void {
    if (this.headersSent) throw headersSentError(action);
  }

  /** Creates the head by a call of `storeHeader` with the first line. */
  protected abstract createHead(): void;
  /** Sends the head without a body. */
  protected abstract sendHead(): void;

  /**
   * Creates the head, and stores in this object what the fields say about the connection and the body, such as
   * `Connection: close`.
   *
   * @param firstLine such as "GET / HTTP/1.1\r\n"
   * @param givenFields fields that are sent in place of those that were set
   * @param status the status of a response
   */
  protected storeHeader(firstLine: string, givenFields?: HeaderList, status?: number): void {
    const [firstLineAndFields, flags, contentLength] = formatHead(firstLine, this.#listFields(givenFields));
    if ((flags & FIELD_FLAGS.hasConnectionClose) !== 0) this.isLast = true;
    else if ((flags & FIELD_FLAGS.hasConnection) !== 0) this.shouldKeepAlive = true;
    if ((flags & FIELD_FLAGS.isChunked) !== 0) this.chunkedEncoding = true;
    if ((flags & FIELD_FLAGS.hasContentLength) !== 0) this.contentLength = Number(contentLength);
    let text = firstLineAndFields;
    if (this.sendDate && (flags & FIELD_FLAGS.hasDate) === 0) text += `Date: ${new Date().toUTCString()}\r\n`;
    // These responses have no body. The client would take a chunk for the beginning of the next response.
    if (this.chunkedEncoding && (status === 204 || status === 304)) {
      this.chunkedEncoding = false;
      this.shouldKeepAlive = false;
    }
    if ((flags & FIELD_FLAGS.hasConnection) === 0) text += this.#chooseConnectionFields(flags);
    const hasBodyField = (flags & (FIELD_FLAGS.hasContentLength | FIELD_FLAGS.hasTransferEncoding)) !== 0;
    if (!hasBodyField) text += this.#chooseBodyField(flags);
    if (!this.chunkedEncoding && (flags & FIELD_FLAGS.hasTrailer) !== 0) {
      const message = "Trailers are invalid with this transfer encoding";
      throw codedError("ERR_HTTP_TRAILER_INVALID", message);
    }
    this.header = `${text}\r\n`;
    this.isHeadSent = false;
    // The caller sends the body only after the server's response to the head.
    if ((flags & FIELD_FLAGS.hasExpect) !== 0) this.sendHead();
  }

  /** Returns a flat list of names and values. */
  #listFields(givenFields: HeaderList | undefined): readonly unknown[] {
    if (givenFields === undefined) return toFlatList(this.#headers?.values() ?? []);
    return isFlatList(givenFields) ? givenFields : toFlatList(toPairs(givenFields));
  }

  /** Decides whether the connection is kept, if the caller has set no field for that. @returns the fields that announce it */
  #chooseConnectionFields(flags: number): string {
    if (this.#isRemoved("connection")) {
      this.isLast = !this.shouldKeepAlive;
      return "";
    }
    const hasContentLength = (flags & FIELD_FLAGS.hasContentLength) !== 0;
    const isEndKnown = hasContentLength || this.useChunkedEncodingByDefault || this.usesAgent;
    if (!this.shouldKeepAlive || !isEndKnown) {
      this.isLast = true;
      return "Connection: close\r\n";
    }
    const announcesTime = this.keepAliveMs > 0 && (flags & FIELD_FLAGS.hasKeepAlive) === 0;
    return announcesTime
      ? `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(this.keepAliveMs / 1000)}\r\n`
      : "Connection: keep-alive\r\n";
  }

  /** Decides how the receiver finds the end of the body, if the caller has set no field for that. @returns the field to add */
  #chooseBodyField(flags: number): string {
    if (!this.hasBody) {
      this.chunkedEncoding = false;
      return "";
    }
    if (!this.useChunkedEncodingByDefault) {
      this.isLast = true;
      return "";
    }
    const hasTrailer = (flags & FIELD_FLAGS.hasTrailer) !== 0;
    if (!hasTrailer && !this.#isRemoved("content-length") && this.contentLength !== undefined) {
      return `Content-Length: ${this.contentLength}\r\n`;
    }
    if (!this.#isRemoved("transfer-encoding")) {
      this.chunkedEncoding = true;
      return "Transfer-Encoding: chunked\r\n";
    }
    // The caller has removed both fields, so the body ends with the connection.
    this.isLast = true;
    return "";
  }

  #isRemoved(name: string): boolean {
    return this.#removedNames?.has(name) === true;
  }

  protected hasSetHeaders(): boolean {
    return this.#headers !== undefined;
  }
}

/** @param action "set", "append", "remove" or "write" */
export function headersSentError(action: string): Error {
  const message = `Cannot ${action} headers after they are sent to the client`;
  return codedError("ERR_HTTP_HEADERS_SENT", message);
}
