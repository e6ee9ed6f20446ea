import { codedError } from "../../errors.ts";
import { EventEmitter } from "../events.ts";
import { checkName, checkValue, Head, type HeaderList, pairsOf } from "./headers.ts";

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
    const head = new Head(firstLine);
    if (given !== undefined) for (const [name, value] of pairsOf(given)) head.add(name, value, true);
    else for (const [name, value] of this.#headers?.values() ?? []) head.add(name, value, false);
    const removed = (name: string, isPresent: boolean): boolean => !isPresent && this.#removed?.has(name) === true;
    if (head.closes) this.isLast = true;
    else if (head.hasConnection) this.shouldKeepAlive = true;
    if (head.isChunked) this.chunkedEncoding = true;
    if (head.hasLength) this.contentLength = head.length;
    if (this.sendDate && !head.hasDate) head.text += `Date: ${new Date().toUTCString()}\r\n`;
    // Answers without a body: a chunk would be the beginning of the next one.
    if (this.chunkedEncoding && (status === 204 || status === 304)) {
      this.chunkedEncoding = false;
      this.shouldKeepAlive = false;
    }
    if (removed("connection", head.hasConnection)) this.isLast = !this.shouldKeepAlive;
    else if (!head.hasConnection) {
      if (this.shouldKeepAlive && (head.hasLength || this.useChunkedEncodingByDefault || this.isAgents)) {
        head.text += "Connection: keep-alive\r\n";
        if (this.keepAliveMs > 0 && !head.hasKeepAlive) {
          head.text += `Keep-Alive: timeout=${Math.floor(this.keepAliveMs / 1000)}\r\n`;
        }
      } else {
        this.isLast = true;
        head.text += "Connection: close\r\n";
      }
    }
    if (!head.hasLength && !head.hasEncoding) {
      if (!this.hasBody) this.chunkedEncoding = false;
      else if (!this.useChunkedEncodingByDefault) this.isLast = true;
      else if (!head.hasTrailer && !removed("content-length", false) && this.contentLength !== undefined) {
        head.text += `Content-Length: ${this.contentLength}\r\n`;
      } else if (!removed("transfer-encoding", false)) {
        head.text += "Transfer-Encoding: chunked\r\n";
        this.chunkedEncoding = true;
      } else this.isLast = true;
    }
    if (!this.chunkedEncoding && head.hasTrailer) {
      const message = "Trailers are invalid with this transfer encoding";
      throw codedError("ERR_HTTP_TRAILER_INVALID", message);
    }
    this.header = `${head.text}\r\n`;
    this.isHeadSent = false;
    // Sent before the body, which waits for an answer.
    if (head.expects) this.sendHead();
  }

  protected hasSetHeaders(): boolean {
    return this.#headers !== undefined;
  }
}

export function headersSent(what: string): Error {
  const message = `Cannot ${what} headers after they are sent to the client`;
  return codedError("ERR_HTTP_HEADERS_SENT", message);
}
