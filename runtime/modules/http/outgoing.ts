import { codedError } from "../../errors.ts";
import { Buffer } from "../buffer.ts";
import { nextTick } from "../../loop.ts";
import { OutgoingHead } from "./outgoing-head.ts";
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
export abstract class OutgoingMessage extends OutgoingHead {
  writable = true;
  destroyed = false;
  /** `end` was called. */
  finished = false;
  errored: Error | null = null;
  /** All is written to the connection. */
  writableFinished = false;
  closed = false;
  protected needsDrain = false;
  protected onPending: (bytes: number) => void = () => {};
  #socket: HttpSocket | null = null;
  #pending: Pending[] = [];
  #pendingSize = 0;
  #corked = 0;
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
    else nextTick(() => this.emitClose());
    return this;
  }

  emitClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.emit("close");
  }

  /** Sends data, behind the head. */
  #send(data: Chunk, encoding?: BufferEncoding, callback?: Callback): boolean {
    let all = data;
    if (!this.isHeadSent && this.header !== undefined) {
      this.isHeadSent = true;
      const isText = encoding === undefined || encoding === "utf8" || encoding === "latin1";
      if (typeof data === "string" && isText) all = this.header + data;
      else this.#keep({ data: this.header, encoding: "latin1", callback: undefined }, true);
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
    if (socket !== null && socket.httpMessage === this && socket.writable) {
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
      throw codedError("ERR_INVALID_ARG_TYPE", message, TypeError);
    }
    if (this.finished) {
      this.#fail(codedError("ERR_STREAM_WRITE_AFTER_END", "write after end"), callback);
      return false;
    }
    if (this.destroyed) {
      const error = codedError("ERR_STREAM_DESTROYED", "Cannot call write after a stream was destroyed");
      if (callback !== undefined) nextTick(() => callback(error));
      return false;
    }
    if (this.header === undefined) this.storeHead();
    if (!this.hasBody) {
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
    const done = typeof chunk === "function" ? chunk : typeof encoding === "function" ? encoding : callback;
    const data = typeof chunk === "function" ? null : chunk;
    if (this.finished) {
      if (data != null && data.length > 0) {
        this.#fail(codedError("ERR_STREAM_WRITE_AFTER_END", "write after end"), done);
      } else if (done !== undefined) this.#atEnd(done);
      return this;
    }
    const finish: Callback = (error) => this.#finish(error ?? undefined);
    const hasData = data != null && data.length > 0;
    if (hasData || this.header === undefined) this.#socket?.cork();
    const its = typeof encoding === "string" ? encoding : undefined;
    if (this.header === undefined && !this.destroyed) {
      this.contentLength = hasData ? Buffer.byteLength(data, its) : 0;
      this.storeHead();
    }
    if (done !== undefined) this.#atEnd(done);
    const isOneWrite = hasData && this.hasBody && !this.chunkedEncoding && !this.destroyed;
    if (hasData) this.#write(data, its, isOneWrite ? finish : undefined, true);
    if (!isOneWrite) this.#sendEnd(hasData, finish);
    const socket = this.#socket;
    if (socket !== null) while (socket.writableCorked > 0) socket.uncork();
    this.#corked = 0;
    this.finished = true;
    if (this.#pending.length === 0 && socket?.httpMessage === this) this.emit("prefinish");
    return this;
  }

  #sendEnd(hasData: boolean, finish: Callback): void {
    if (this.hasBody && this.chunkedEncoding) this.#send("0\r\n\r\n", "latin1", finish);
    else if (!this.isHeadSent || this.writableLength > 0 || hasData) this.#send("", "latin1", finish);
    else nextTick(finish);
  }

  /** Calls back when everything is written, or never will be. */
  #atEnd(callback: Callback): void {
    const error = this.#flushError;
    if (this.writableFinished) {
      const message = "Cannot call end after a stream was finished";
      callback(codedError("ERR_STREAM_ALREADY_FINISHED", message));
    } else if (error !== undefined) nextTick(() => callback(error));
    else this.#endCallbacks.push(callback);
  }

  #finish(error: Error | undefined): void {
    const failure = error ?? this.errored ?? this.#socket?.errored;
    const hasFailed = failure != null || this.#socket?.hadError === true;
    if (hasFailed) {
      this.#flushError = failure ?? codedError("ERR_STREAM_DESTROYED", "Cannot call end after a stream was destroyed");
    } else this.writableFinished = true;
    for (const callback of this.#endCallbacks.splice(0)) callback(this.#flushError);
    if (!hasFailed) this.emit("finish");
  }

  /** Writes what has waited for the connection. */
  flush(): void {
    const socket = this.#socket;
    if (socket === null || !socket.writable) return;
    const isTaken = this.#flushPending(socket);
    if (this.finished) this.emit("prefinish");
    else if (this.needsDrain && isTaken) this.drained();
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
  dropPending(): void {
    this.#pending = [];
  }

  /** The connection takes more. */
  drained(): void {
    if (this.finished || !this.needsDrain) return;
    this.needsDrain = false;
    this.emit("drain");
  }

  protected override sendHead(): void {
    this.#send("");
  }

  flushHeaders(): void {
    if (this.header === undefined) this.storeHead();
    this.sendHead();
  }
}
