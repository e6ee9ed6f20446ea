/**
 * The class OutgoingMessage of node:http, the base class of the two kinds of messages that are sent: ClientRequest and
 * ServerResponse. It writes the body after the head (outgoing-head.ts).
 *
 * The caller may write a message before the connection can take it. A client's request must first get a connection, and a
 * server sends its responses in the order of the requests. Until then the message keeps what is written in `#pendingWrites`.
 * When its `socket` is set, `flush` sends the pending writes.
 */
import { codedError } from "../../errors.ts";
import { Buffer } from "../buffer.ts";
import { nextTick } from "../../loop.ts";
import { OutgoingHead } from "./outgoing-head.ts";
import type { HttpSocket } from "./socket.ts";

type Chunk = string | Uint8Array;
type WriteCallback = (error?: Error | null) => void;

/** A part of the message that waits for the connection. */
interface PendingWrite {
  readonly data: Chunk;
  readonly encoding: BufferEncoding | undefined;
  readonly callback: WriteCallback | undefined;
}

/** The number of pending bytes from which on `write` returns false if there is no connection yet, as in Node.js. */
const HIGH_WATER_MARK = 64 * 1024;

export abstract class OutgoingMessage extends OutgoingHead {
  writable = true;
  destroyed = false;
  /** `end` was called. */
  finished = false;
  errored: Error | null = null;
  /** The whole message is written to the connection. */
  writableFinished = false;
  closed = false;
  /** `write` has returned false, so the caller waits for 'drain'. */
  protected needsDrain = false;
  /** Is called with the number of bytes by which the pending writes have grown. It is negative when they are sent. */
  protected onPendingChange: (bytes: number) => void = () => {};
  #socket: HttpSocket | null = null;
  #pendingWrites: PendingWrite[] = [];
  /** The length of all pending writes. As in Node.js, a character of a text counts as one byte. */
  #pendingLength = 0;
  #corkCount = 0;
  /** The error that callbacks of `end` get, because not everything could be written. */
  #endError: Error | undefined;
  #endCallbacks: WriteCallback[] = [];

  get socket(): HttpSocket | null {
    return this.#socket;
  }

  /** A message that the caller has corked corks its new connection, and uncorks the previous one. */
  set socket(socket: HttpSocket | null) {
    for (let count = 0; count < this.#corkCount; count += 1) {
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
    return this.#corkCount;
  }

  get writableLength(): number {
    return this.#pendingLength + (this.#socket?.writableLength ?? 0);
  }

  get writableHighWaterMark(): number {
    return this.#socket?.writableHighWaterMark ?? HIGH_WATER_MARK;
  }

  get writableNeedDrain(): boolean {
    return !this.destroyed && !this.finished && this.needsDrain;
  }

  cork(): void {
    this.#corkCount += 1;
    this.#socket?.cork();
  }

  uncork(): void {
    this.#corkCount -= 1;
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

  /** Sends data, before which the head is sent if that has not happened yet. */
  #send(data: Chunk, encoding?: BufferEncoding, callback?: WriteCallback): boolean {
    let dataWithHead = data;
    if (!this.isHeadSent && this.header !== undefined) {
      this.isHeadSent = true;
      // As in Node.js, text is joined to the head, so that both are one write.
      const canBeJoined = encoding === undefined || encoding === "utf8" || encoding === "latin1";
      if (typeof data === "string" && canBeJoined) dataWithHead = this.header + data;
      else {
        this.#pendingWrites.unshift({ data: this.header, encoding: "latin1", callback: undefined });
        this.#countPending(this.header.length);
      }
    }
    return this.writeToSocket(dataWithHead, encoding, callback);
  }

  #countPending(length: number): void {
    this.#pendingLength += length;
    this.onPendingChange(length);
  }

  /** Writes to the connection, or keeps the data until the connection can take this message. */
  protected writeToSocket(data: Chunk, encoding?: BufferEncoding, callback?: WriteCallback): boolean {
    const socket = this.#socket;
    if (socket?.destroyed === true) return false;
    if (socket !== null && socket.httpMessage === this && socket.writable) {
      this.#flushPending(socket);
      return socket.write(data, encoding ?? "utf8", callback);
    }
    this.#pendingWrites.push({ data, encoding, callback });
    this.#countPending(data.length);
    return this.#pendingLength < this.writableHighWaterMark;
  }

  /** Takes (chunk, callback) or (chunk, encoding, callback). @returns false if the caller must wait for 'drain' */
  write(chunk: Chunk, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    const mayContinue =
      typeof encoding === "function"
        ? this.#writeChunk(chunk, undefined, encoding)
        : this.#writeChunk(chunk, encoding, callback);
    if (!mayContinue) this.needsDrain = true;
    return mayContinue;
  }

  #writeChunk(chunk: Chunk, encoding: BufferEncoding | undefined, callback: WriteCallback | undefined): boolean {
    if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) {
      const message = 'The "chunk" argument must be of type string or an instance of Buffer or Uint8Array.';
      throw codedError("ERR_INVALID_ARG_TYPE", message, TypeError);
    }
    if (this.finished) {
      this.#reportError(codedError("ERR_STREAM_WRITE_AFTER_END", "write after end"), callback);
      return false;
    }
    if (this.destroyed) {
      const error = codedError("ERR_STREAM_DESTROYED", "Cannot call write after a stream was destroyed");
      if (callback !== undefined) nextTick(() => callback(error));
      return false;
    }
    if (this.header === undefined) this.createHead();
    if (!this.hasBody) {
      if (callback !== undefined) nextTick(callback);
      return true;
    }
    const socket = this.#socket;
    // The chunks of one turn of the event loop go out together. The last one does not wait, because `end` has corked the socket.
    if (socket !== null && socket.writableCorked === 0) {
      socket.cork();
      nextTick(() => socket.uncork());
    }
    // An empty chunk would be the end of a chunked body.
    if (!this.chunkedEncoding || chunk.length === 0) return this.#send(chunk, encoding, callback);
    this.#send(`${Buffer.byteLength(chunk, encoding).toString(16)}\r\n`, "latin1");
    this.#send(chunk, encoding);
    return this.#send("\r\n", "latin1", callback);
  }

  /** Calls back with an error, and emits it unless the message is destroyed. */
  #reportError(error: Error, callback: WriteCallback | undefined): void {
    if (this.destroyed) {
      if (callback !== undefined) nextTick(() => callback(error));
      return;
    }
    nextTick(() => {
      callback?.(error);
      if (!this.destroyed) this.emit("error", error);
    });
  }

  /** Takes (chunk, encoding, callback), each of which may be missing. */
  end(
    chunk?: Chunk | WriteCallback | null,
    encoding?: BufferEncoding | WriteCallback | null,
    callback?: WriteCallback,
  ): this {
    const endCallback = typeof chunk === "function" ? chunk : typeof encoding === "function" ? encoding : callback;
    const data = typeof chunk === "function" ? null : chunk;
    const dataEncoding = typeof encoding === "string" ? encoding : undefined;
    const hasData = data != null && data.length > 0;
    if (this.finished) {
      if (hasData) this.#reportError(codedError("ERR_STREAM_WRITE_AFTER_END", "write after end"), endCallback);
      else if (endCallback !== undefined) this.#callAtEnd(endCallback);
      return this;
    }
    const finish: WriteCallback = (error) => this.#finish(error ?? undefined);
    // The head and the body go out together. Below, the corks of this call, and of earlier writes, are removed.
    if (hasData || this.header === undefined) this.#socket?.cork();
    if (this.header === undefined && !this.destroyed) {
      this.contentLength = hasData ? Buffer.byteLength(data, dataEncoding) : 0;
      this.createHead();
    }
    if (endCallback !== undefined) this.#callAtEnd(endCallback);
    // A body without chunks needs no end mark, so its last data is the last write.
    const isDataLastWrite = hasData && this.hasBody && !this.chunkedEncoding && !this.destroyed;
    if (hasData) this.#writeChunk(data, dataEncoding, isDataLastWrite ? finish : undefined);
    if (!isDataLastWrite) this.#sendEnd(hasData, finish);
    const socket = this.#socket;
    if (socket !== null) while (socket.writableCorked > 0) socket.uncork();
    this.#corkCount = 0;
    this.finished = true;
    if (this.#pendingWrites.length === 0 && socket?.httpMessage === this) this.emit("prefinish");
    return this;
  }

  /** Sends what follows the last data: the chunk that ends a chunked body, or the head if that has not been sent yet. */
  #sendEnd(hasData: boolean, finish: WriteCallback): void {
    if (this.hasBody && this.chunkedEncoding) this.#send("0\r\n\r\n", "latin1", finish);
    // The empty write calls back after all writes before it.
    else if (!this.isHeadSent || this.writableLength > 0 || hasData) this.#send("", "latin1", finish);
    else nextTick(finish);
  }

  /** Calls back when the whole message is written, or with an error when that has become impossible. */
  #callAtEnd(callback: WriteCallback): void {
    const error = this.#endError;
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
      this.#endError = failure ?? codedError("ERR_STREAM_DESTROYED", "Cannot call end after a stream was destroyed");
    } else this.writableFinished = true;
    for (const callback of this.#endCallbacks.splice(0)) callback(this.#endError);
    if (!hasFailed) this.emit("finish");
  }

  /** Sends the pending writes, because the connection can take this message now. */
  flush(): void {
    const socket = this.#socket;
    if (socket === null || !socket.writable) return;
    const mayContinue = this.#flushPending(socket);
    if (this.finished) this.emit("prefinish");
    else if (this.needsDrain && mayContinue) this.drained();
  }

  #flushPending(socket: HttpSocket): boolean {
    if (this.#pendingWrites.length === 0) return true;
    const writes = this.#pendingWrites;
    const length = this.#pendingLength;
    this.#pendingWrites = [];
    let mayContinue = true;
    socket.cork();
    for (const { data, encoding, callback } of writes) {
      mayContinue = socket.write(data, encoding ?? "utf8", callback);
    }
    socket.uncork();
    this.#pendingLength = 0;
    this.onPendingChange(-length);
    return mayContinue;
  }

  /** Drops the pending writes, because the connection has ended. */
  dropPending(): void {
    this.#pendingWrites = [];
  }

  /** Emits 'drain' if the caller waits for it, because the connection can take more. */
  drained(): void {
    if (this.finished || !this.needsDrain) return;
    this.needsDrain = false;
    this.emit("drain");
  }

  protected override sendHead(): void {
    this.#send("");
  }

  flushHeaders(): void {
    if (this.header === undefined) this.createHead();
    this.sendHead();
  }
}
