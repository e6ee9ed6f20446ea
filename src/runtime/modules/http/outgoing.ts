import { Buffer } from "../buffer.ts";
import { EventEmitter } from "../events.ts";
import { nextTick } from "../../loop.ts";
import { coded } from "../net/errors.ts";
import { checkName, checkValue, Head, type HeaderList, pairsOf, type Value } from "./headers.ts";
import type { HttpSocket } from "./socket.ts";

type Chunk = string | Uint8Array;
type Callback = (error?: Error | null) => void;

interface Pending {
  readonly data: Chunk;
  readonly encoding: BufferEncoding | undefined;
  readonly callback: Callback | undefined;
}

const HIGH_WATER_MARK = 64 * 1024;

/** A message that is sent: a client's request, or a server's answer. */
export abstract class OutgoingMessage extends EventEmitter {
  writable = true;
  destroyed = false;
  /** `end` was called. */
  finished = false;
  chunkedEncoding = false;
  shouldKeepAlive = true;
  useChunkedEncodingByDefault = true;
  sendDate = false;
  errored: Error | null = null;
  /** All is written to the connection. */
  writableFinished = false;
  closed = false;
  /** The connection ends behind this message. */
  _last = false;
  _hasBody = true;
  _contentLength: number | undefined;
  _header: string | undefined;
  _headerSent = false;
  /** Milliseconds that the connection is kept, to be announced. */
  _keepAliveTimeout = 0;
  /** The connection belongs to an agent, which may use it again. */
  protected isAgents = false;
  protected needsDrain = false;
  protected onPending: (bytes: number) => void = () => {};
  #socket: HttpSocket | null = null;
  #pending: Pending[] = [];
  #pendingSize = 0;
  #corked = 0;
  #headers: Map<string, [name: string, value: unknown]> | undefined;
  readonly #removed = new Set<string>();
  #trailer = "";
  #flushError: Error | undefined;
  #endCallbacks: Callback[] = [];

  get socket(): HttpSocket | null {
    return this.#socket;
  }

  set socket(socket: HttpSocket | null) {
    for (let count = 0; count < this.#corked; count += 1) {
      socket?.cork();
      this.#socket?.uncork();
    }
    this.#socket = socket;
  }

  get connection(): HttpSocket | null {
    return this.#socket;
  }

  get headersSent(): boolean {
    return this._header !== undefined;
  }

  get writableEnded(): boolean {
    return this.finished;
  }

  get writableCorked(): number {
    return this.#corked;
  }

  get writableLength(): number {
    return this.#pendingSize + (this.#socket?.writableLength ?? 0);
  }

  get writableHighWaterMark(): number {
    return this.#socket?.writableHighWaterMark ?? HIGH_WATER_MARK;
  }

  get writableNeedDrain(): boolean {
    return !this.destroyed && !this.finished && this.needsDrain;
  }

  cork(): void {
    this.#corked += 1;
    this.#socket?.cork();
  }

  uncork(): void {
    this.#corked -= 1;
    this.#socket?.uncork();
  }

  setTimeout(ms: number, callback?: () => void): this {
    if (callback !== undefined) this.on("timeout", callback);
    if (this.#socket === null) this.once("socket", (socket: HttpSocket) => socket.setTimeout?.(ms));
    else this.#socket.setTimeout?.(ms);
    return this;
  }

  destroy(error?: Error): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.errored = error ?? null;
    if (this.#socket !== null) this.#socket.destroy(error);
    else nextTick(() => this._emitClose());
    return this;
  }

  _emitClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.emit("close");
  }

  setHeader(name: string, value: Value): this {
    this.#beforeHead("set");
    checkName(name);
    checkValue(name, value);
    (this.#headers ??= new Map()).set(name.toLowerCase(), [name, value]);
    return this;
  }

  appendHeader(name: string, value: Value): this {
    this.#beforeHead("append");
    checkName(name);
    checkValue(name, value);
    const present = this.#headers?.get(name.toLowerCase());
    if (present === undefined) return this.setHeader(name, value);
    present[1] = [present[1], value].flat();
    return this;
  }

  getHeader(name: string): unknown {
    return this.#headers?.get(name.toLowerCase())?.[1];
  }

  hasHeader(name: string): boolean {
    return this.#headers?.has(name.toLowerCase()) === true;
  }

  getHeaderNames(): readonly string[] {
    return Array.from(this.#headers?.keys() ?? []);
  }

  getHeaders(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(Array.from(this.#headers ?? [], ([name, [, value]]) => [name, value]));
  }

  /** Also prevents the field that would be added. */
  removeHeader(name: string): void {
    this.#beforeHead("remove");
    const key = name.toLowerCase();
    this.#removed.add(key);
    if (key === "date") this.sendDate = false;
    this.#headers?.delete(key);
  }

  addTrailers(headers: HeaderList): void {
    this.#trailer = "";
    for (const [name, value] of pairsOf(headers)) {
      checkName(name, "Trailer name");
      for (const each of [value].flat()) {
        checkValue(name, each);
        this.#trailer += `${name}: ${String(each)}\r\n`;
      }
    }
  }

  #beforeHead(what: string): void {
    if (this.headersSent) throw headersSent(what);
  }

  /** Stores the head: calls `storeHeader` with the first line. */
  protected abstract storeHead(): void;

  /**
   * @param given fields in place of those that were set
   * @param status that of an answer
   */
  protected storeHeader(firstLine: string, given?: HeaderList, status?: number): void {
    const head = new Head(firstLine);
    if (given !== undefined) for (const [name, value] of pairsOf(given)) head.add(name, value, true);
    else for (const [name, value] of this.#headers?.values() ?? []) head.add(name, value, false);
    const removed = (name: string, isPresent: boolean): boolean => !isPresent && this.#removed.has(name);
    if (head.closes) this._last = true;
    else if (head.hasConnection) this.shouldKeepAlive = true;
    if (head.isChunked) this.chunkedEncoding = true;
    if (head.hasLength) this._contentLength = head.length;
    if (this.sendDate && !head.hasDate) head.text += `Date: ${new Date().toUTCString()}\r\n`;
    // Answers without a body: a chunk would be the beginning of the next one.
    if (this.chunkedEncoding && (status === 204 || status === 304)) {
      this.chunkedEncoding = false;
      this.shouldKeepAlive = false;
    }
    if (removed("connection", head.hasConnection)) this._last = !this.shouldKeepAlive;
    else if (!head.hasConnection) {
      if (this.shouldKeepAlive && (head.hasLength || this.useChunkedEncodingByDefault || this.isAgents)) {
        head.text += "Connection: keep-alive\r\n";
        if (this._keepAliveTimeout > 0 && !head.hasKeepAlive) {
          head.text += `Keep-Alive: timeout=${Math.floor(this._keepAliveTimeout / 1000)}\r\n`;
        }
      } else {
        this._last = true;
        head.text += "Connection: close\r\n";
      }
    }
    if (!head.hasLength && !head.hasEncoding) {
      if (!this._hasBody) this.chunkedEncoding = false;
      else if (!this.useChunkedEncodingByDefault) this._last = true;
      else if (!head.hasTrailer && !this.#removed.has("content-length") && this._contentLength !== undefined) {
        head.text += `Content-Length: ${this._contentLength}\r\n`;
      } else if (!this.#removed.has("transfer-encoding")) {
        head.text += "Transfer-Encoding: chunked\r\n";
        this.chunkedEncoding = true;
      } else this._last = true;
    }
    if (!this.chunkedEncoding && head.hasTrailer) {
      const message = "Trailers are invalid with this transfer encoding";
      throw coded("ERR_HTTP_TRAILER_INVALID", new Error(message));
    }
    this._header = `${head.text}\r\n`;
    this._headerSent = false;
    // Sent before the body, which waits for an answer.
    if (head.expects) this.#send("");
  }

  protected hasSetHeaders(): boolean {
    return this.#headers !== undefined;
  }

  /** Sends data, behind the head. */
  #send(data: Chunk, encoding?: BufferEncoding, callback?: Callback): boolean {
    let all = data;
    if (!this._headerSent && this._header !== undefined) {
      this._headerSent = true;
      const isText = encoding === undefined || encoding === "utf8" || encoding === "latin1";
      if (typeof data === "string" && isText) all = this._header + data;
      else this.#keep({ data: this._header, encoding: "latin1", callback: undefined }, true);
    }
    return this.writeRaw(all, encoding, callback);
  }

  #keep(one: Pending, isFirst = false): void {
    if (isFirst) this.#pending.unshift(one);
    else this.#pending.push(one);
    this.#pendingSize += one.data.length;
    this.onPending(one.data.length);
  }

  protected writeRaw(data: Chunk, encoding?: BufferEncoding, callback?: Callback): boolean {
    const socket = this.#socket;
    if (socket?.destroyed === true) return false;
    if (socket !== null && socket._httpMessage === this && socket.writable) {
      this.#flushPending(socket);
      return socket.write(data, encoding ?? "utf8", callback);
    }
    this.#keep({ data, encoding, callback });
    return this.#pendingSize < this.writableHighWaterMark;
  }

  write(chunk: Chunk, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
    const [its, done] = typeof encoding === "function" ? [undefined, encoding] : [encoding, callback];
    const isTaken = this.#write(chunk, its, done, false);
    if (!isTaken) this.needsDrain = true;
    return isTaken;
  }

  #write(chunk: Chunk, encoding: BufferEncoding | undefined, callback: Callback | undefined, isLast: boolean): boolean {
    if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) {
      const message = 'The "chunk" argument must be of type string or an instance of Buffer or Uint8Array.';
      throw coded("ERR_INVALID_ARG_TYPE", new TypeError(message));
    }
    if (this.finished) {
      this.#fail(coded("ERR_STREAM_WRITE_AFTER_END", new Error("write after end")), callback);
      return false;
    }
    if (this.destroyed) {
      const error = coded("ERR_STREAM_DESTROYED", new Error("Cannot call write after a stream was destroyed"));
      if (callback !== undefined) nextTick(() => callback(error));
      return false;
    }
    if (this._header === undefined) this.storeHead();
    if (!this._hasBody) {
      if (callback !== undefined) nextTick(callback);
      return true;
    }
    const socket = this.#socket;
    if (!isLast && socket !== null && socket.writableCorked === 0) {
      socket.cork();
      nextTick(() => socket.uncork());
    }
    if (!this.chunkedEncoding || chunk.length === 0) return this.#send(chunk, encoding, callback);
    this.#send(`${Buffer.byteLength(chunk, encoding).toString(16)}\r\n`, "latin1");
    this.#send(chunk, encoding);
    return this.#send("\r\n", "latin1", callback);
  }

  #fail(error: Error, callback: Callback | undefined): void {
    if (this.destroyed) {
      if (callback !== undefined) nextTick(() => callback(error));
      return;
    }
    nextTick(() => {
      callback?.(error);
      if (!this.destroyed) this.emit("error", error);
    });
  }

  end(chunk?: Chunk | Callback | null, encoding?: BufferEncoding | Callback | null, callback?: Callback): this {
    const done = [chunk, encoding, callback].find((one) => typeof one === "function");
    const data = typeof chunk === "function" ? null : chunk;
    if (this.finished) {
      if (data != null && data.length > 0) {
        this.#fail(coded("ERR_STREAM_WRITE_AFTER_END", new Error("write after end")), done);
      } else if (done !== undefined) this.#atEnd(done);
      return this;
    }
    const finish: Callback = (error) => this.#finish(error ?? undefined);
    const hasData = data != null && data.length > 0;
    if (hasData || this._header === undefined) this.#socket?.cork();
    const its = typeof encoding === "string" ? encoding : undefined;
    if (this._header === undefined && !this.destroyed) {
      this._contentLength = hasData ? Buffer.byteLength(data, its) : 0;
      this.storeHead();
    }
    if (done !== undefined) this.#atEnd(done);
    const isOneWrite = hasData && this._hasBody && !this.chunkedEncoding && !this.destroyed;
    if (hasData) this.#write(data, its, isOneWrite ? finish : undefined, true);
    if (!isOneWrite) this.#sendEnd(hasData, finish);
    const socket = this.#socket;
    if (socket !== null) while (socket.writableCorked > 0) socket.uncork();
    this.#corked = 0;
    this.finished = true;
    if (this.#pending.length === 0 && socket?._httpMessage === this) this.emit("prefinish");
    return this;
  }

  #sendEnd(hasData: boolean, finish: Callback): void {
    if (this._hasBody && this.chunkedEncoding) this.#send(`0\r\n${this.#trailer}\r\n`, "latin1", finish);
    else if (!this._headerSent || this.writableLength > 0 || hasData) this.#send("", "latin1", finish);
    else nextTick(finish);
  }

  /** Calls back when everything is written, or never will be. */
  #atEnd(callback: Callback): void {
    const error = this.#flushError;
    if (this.writableFinished) {
      const message = "Cannot call end after a stream was finished";
      callback(coded("ERR_STREAM_ALREADY_FINISHED", new Error(message)));
    } else if (error !== undefined) nextTick(() => callback(error));
    else this.#endCallbacks.push(callback);
  }

  #finish(error: Error | undefined): void {
    const failure = error ?? this.errored ?? this.#socket?.errored;
    const hasFailed = failure != null || this.#socket?._hadError === true;
    if (hasFailed) {
      this.#flushError =
        failure ?? coded("ERR_STREAM_DESTROYED", new Error("Cannot call end after a stream was destroyed"));
    } else this.writableFinished = true;
    for (const callback of this.#endCallbacks.splice(0)) callback(this.#flushError);
    if (!hasFailed) this.emit("finish");
  }

  /** Writes what has waited for the connection. */
  _flush(): void {
    const socket = this.#socket;
    if (socket === null || !socket.writable) return;
    const isTaken = this.#flushPending(socket);
    if (this.finished) this.emit("prefinish");
    else if (this.needsDrain && isTaken) this._drained();
  }

  #flushPending(socket: HttpSocket): boolean {
    if (this.#pending.length === 0) return true;
    const pending = this.#pending;
    const size = this.#pendingSize;
    this.#pending = [];
    let isTaken = true;
    socket.cork();
    for (const { data, encoding, callback } of pending) {
      isTaken = socket.write(data, encoding ?? "utf8", callback);
    }
    socket.uncork();
    this.#pendingSize = 0;
    this.onPending(-size);
    return isTaken;
  }

  /** Drops what has waited for the connection, which has ended. */
  _dropPending(): void {
    this.#pending = [];
  }

  /** The connection takes more. */
  _drained(): void {
    if (this.finished || !this.needsDrain) return;
    this.needsDrain = false;
    this.emit("drain");
  }

  flushHeaders(): void {
    if (this._header === undefined) this.storeHead();
    this.#send("");
  }
}

export function headersSent(what: string): Error {
  const message = `Cannot ${what} headers after they are sent to the client`;
  return coded("ERR_HTTP_HEADERS_SENT", new Error(message));
}
