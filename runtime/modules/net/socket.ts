/**
 * The class Socket of node:net: a stream that reads and writes a connection through its `handle` (handle.ts). A socket gets the
 * handle when it connects, or from its options if the connection exists already.
 *
 * `finishConnecting`, `useHandle` and `handle` are for connect.ts and tls.ts. HTTP calls `startConsuming` to read without the
 * stream.
 */
import { codedError, systemFailure } from "../../errors.ts";
import { Duplex } from "../stream.ts";
import { nextTick, Timer } from "../../loop.ts";
import { beginConnecting, type ConnectOptions } from "./connect.ts";
import { DescriptorHandle, type SocketAddress, type StreamHandle } from "./handle.ts";

// oxlint-disable-next-line typescript/unbound-method -- called with the stream
const { write: writeStream } = Duplex.prototype;

export interface SocketOptions {
  readonly allowHalfOpen?: boolean | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  /** The milliseconds without a byte after which the kernel sends the first TCP keep-alive probe. */
  readonly keepAliveInitialDelay?: number | undefined;
  readonly highWaterMark?: number | undefined;
  readonly readable?: boolean | undefined;
  readonly writable?: boolean | undefined;
  /** A connected, non-blocking descriptor, which the socket closes. */
  readonly fd?: number | undefined;
  readonly handle?: StreamHandle | undefined;
  readonly signal?: AbortSignal | undefined;
}

type StreamCallback = (error?: Error | null) => void;

export class Socket extends Duplex {
  connecting = false;
  /** The milliseconds that `setTimeout` got. */
  timeout?: number;
  /** The server that has accepted this socket. */
  server: object | null = null;
  /** Null before the socket connects and after it is destroyed. */
  handle: StreamHandle | null = null;
  /** True if HTTP or TLS has already emitted the error that ends the connection. */
  hadError = false;
  /** Called when the socket is destroyed, so that the server that has accepted it forgets it. */
  onDestroyed: (() => void) | undefined;
  #isReferenced = true;
  #timer: Timer | undefined;
  #hasTimeout = false;
  #noDelay: boolean;
  #keepAlive: boolean;
  #keepAliveSeconds: number;
  /** The number of bytes that the socket had read when it was destroyed. */
  #finalBytesRead = 0;
  #consumer: ((bytes: Buffer) => void) | undefined;
  /** The number of bytes that the stream has passed to `#dispatch`. */
  #dispatchedBytes = 0;
  /** The number of dispatched bytes that the handle has not written yet. */
  #bytesInFlight = 0;
  /** The addresses of both ends, as far as they were asked for. Each of them takes a system call. */
  #addresses: { local?: SocketAddress | undefined; remote?: SocketAddress | undefined } = {};

  constructor(options: SocketOptions = {}) {
    super({
      allowHalfOpen: options.allowHalfOpen === true,
      // `_destroy` emits 'close' when the handle is closed.
      emitClose: false,
      autoDestroy: true,
      ...(options.highWaterMark === undefined ? {} : { highWaterMark: options.highWaterMark }),
      ...(options.readable === undefined ? {} : { readable: options.readable }),
      ...(options.writable === undefined ? {} : { writable: options.writable }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    this.#noDelay = options.noDelay === true;
    this.#keepAlive = options.keepAlive === true;
    this.#keepAliveSeconds = Math.trunc((options.keepAliveInitialDelay ?? 0) / 1000);
    this.on("end", () => {
      if (!this.allowHalfOpen) this.write = writeAfterEnd;
    });
    const handle = options.handle ?? (options.fd === undefined ? undefined : new DescriptorHandle(options.fd));
    if (handle === undefined) return;
    this.useHandle(handle);
    // Begins to read, so that the end of the connection is noticed.
    if (options.readable !== false) this.read(0);
  }

  /** Sets the handle, and closes the handle of an earlier attempt to connect. */
  useHandle(handle: StreamHandle): void {
    const earlierHandle = this.handle;
    if (earlierHandle !== null) {
      earlierHandle.onRead = () => {};
      earlierHandle.close(() => {});
    }
    this.handle = handle;
    if (!this.#isReferenced) handle.unref();
    this.#addresses = {};
    handle.onRead = (chunk) => this.#receive(handle, chunk);
  }

  /** @throws an error such as Node.js throws for an invalid host or port. Other errors destroy the socket. */
  connect(options: ConnectOptions, callback?: () => void): this {
    if (callback !== undefined) this.once("connect", callback);
    if (options.port === undefined && options.path == null) {
      throw codedError("ERR_MISSING_ARGS", 'The "options" or "port" or "path" argument must be specified', TypeError);
    }
    this.#restartTimeout();
    this.connecting = true;
    beginConnecting(this, options);
    return this;
  }

  /** Called by connect.ts when the handle is connected. Sets the options that could not be set before, and emits the events. */
  finishConnecting(): void {
    this.connecting = false;
    this.#addresses = {};
    this.#restartTimeout();
    if (this.#noDelay) this.handle?.setNoDelay(true);
    if (this.#keepAlive) this.handle?.setKeepAlive(true, this.#keepAliveSeconds);
    this.emit("connect");
    this.emit("ready");
    if (!this.isPaused()) this.read(0);
  }

  /** @param chunk bytes, null at the end, or a negative errno, as `StreamHandle.onRead` gets them */
  #receive(handle: StreamHandle, chunk: Buffer | null | number): void {
    this.#restartTimeout();
    if (typeof chunk === "number") return void this.destroy(systemFailure(chunk, "read"));
    if (this.destroyed) return;
    if (chunk === null) {
      this.push(null);
      // A stream emits 'end' only after a read.
      this.read(0);
    } else if (this.#consumer !== undefined) {
      const consumer = this.#consumer;
      // As in Node.js, listeners see the bytes, too.
      if (this.listenerCount("data") > 0) this.emit("data", chunk);
      consumer(chunk);
    } else if (!this.push(chunk)) handle.stopReading();
  }

  override _read(): void {
    if (this.connecting || this.handle === null) this.once("connect", () => this.#startReading());
    else this.#startReading();
  }

  #startReading(): void {
    if (this.handle?.isReading === false) this.handle.startReading();
  }

  /**
   * Gives all bytes to a function, without the buffer and the events of the stream, which HTTP does not need. The stream still
   * reports the end of the connection.
   */
  startConsuming(consumer: (bytes: Buffer) => void): void {
    this.#consumer = consumer;
    this.resumeConsuming();
  }

  get isConsumed(): boolean {
    return this.#consumer !== undefined;
  }

  resumeConsuming(): void {
    // A socket that connects begins to read when it is connected.
    if (this.handle?.isReading === false && !this.connecting) this.handle.startReading();
  }

  pauseConsuming(): void {
    if (this.handle?.isReading === true && !this.connecting) this.handle.stopReading();
  }

  /** Gives further bytes to the stream again. */
  stopConsuming(): void {
    this.#consumer = undefined;
    if (!this.destroyed) this.resumeConsuming();
  }

  /** Returns true if the connection has bytes, an end or an error that the event loop has not reported yet. */
  hasInput(): boolean {
    return this.handle?.hasInput() === true;
  }

  override _write(chunk: Buffer, _: string, callback: StreamCallback): void {
    this.#dispatch([chunk], callback);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: StreamCallback): void {
    this.#dispatch(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  /** Counts the bytes, and sends them. The stream dispatches nothing more until the callback is called. */
  #dispatch(chunks: readonly Uint8Array[], callback: StreamCallback): void {
    this.#bytesInFlight = 0;
    for (const { length } of chunks) this.#bytesInFlight += length;
    this.#dispatchedBytes += this.#bytesInFlight;
    this.#send(chunks, (error) => {
      this.#bytesInFlight = 0;
      callback(error);
    });
  }

  #send(chunks: readonly Uint8Array[], callback: StreamCallback): void {
    if (this.connecting) return this.#sendWhenConnected(chunks, callback);
    if (this.handle === null) return callback(codedError("ERR_SOCKET_CLOSED", "Socket is closed"));
    this.#restartTimeout();
    const result = this.handle.write(chunks, (status) => {
      if (status !== 0) return callback(systemFailure(status, "write"));
      if (!this.destroyed) this.#restartTimeout();
      callback(null);
    });
    // The handle calls back only if undefined is returned.
    if (result === true) callback(null);
    else if (result !== undefined) callback(systemFailure(result, "write"));
  }

  #sendWhenConnected(chunks: readonly Uint8Array[], callback: StreamCallback): void {
    const fail = (): void => {
      const message = "Socket closed before the connection was established";
      callback(codedError("ERR_SOCKET_CLOSED_BEFORE_CONNECTION", message));
    };
    this.once("connect", () => {
      this.off("close", fail);
      this.#send(chunks, callback);
    });
    this.once("close", fail);
  }

  override _final(callback: StreamCallback): void {
    if (this.connecting) this.once("connect", () => this.#shutDown(callback));
    else this.#shutDown(callback);
  }

  #shutDown(callback: StreamCallback): void {
    if (this.handle === null) callback();
    else this.handle.shutDown(() => callback());
  }

  override _destroy(error: Error | null, callback: StreamCallback): void {
    this.connecting = false;
    this.#timer?.close();
    const { handle } = this;
    // The value of 'close' is true if the connection has ended because of an error.
    if (handle === null) {
      callback(error);
      nextTick(() => this.emit("close", false));
    } else {
      this.#finalBytesRead = handle.bytesRead;
      handle.onRead = () => {};
      handle.close(() => this.emit("close", error !== null));
      this.handle = null;
      callback(error);
    }
    this.onDestroyed?.();
  }

  /** Ends the writing side, and destroys the socket when everything is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** Emits 'timeout' after this many milliseconds without a byte. 0 switches the timeout off, and removes the callback. */
  setTimeout(ms: number, callback?: () => void): this {
    if (this.destroyed) return this;
    this.timeout = ms;
    this.#hasTimeout = ms !== 0;
    // HTTP sets the timeout twice for each request, so the timer is reused.
    if (ms === 0) this.#timer?.close();
    else if (this.#timer === undefined) this.#timer = new Timer(() => this.emit("timeout"), ms, false).unref();
    else this.#timer.restart(ms);
    if (callback === undefined) return this;
    return ms === 0 ? this.removeListener("timeout", callback) : this.once("timeout", callback);
  }

  #restartTimeout(): void {
    if (this.#hasTimeout) this.#timer?.refresh();
  }

  setNoDelay(on = true): this {
    if (on !== this.#noDelay && !this.connecting) this.handle?.setNoDelay(on);
    this.#noDelay = on;
    return this;
  }

  /** @param delay the milliseconds without a byte after which the kernel sends the first probe */
  setKeepAlive(on = false, delay = 0): this {
    const seconds = Math.trunc(delay / 1000);
    const hasChanged = on !== this.#keepAlive || (on && seconds !== this.#keepAliveSeconds);
    this.#keepAlive = on;
    this.#keepAliveSeconds = seconds;
    // While the socket connects, there is nothing to set yet. `finishConnecting` sets it.
    if (hasChanged && !this.connecting) this.handle?.setKeepAlive(on, seconds);
    return this;
  }

  ref(): this {
    this.#isReferenced = true;
    this.handle?.ref();
    return this;
  }

  unref(): this {
    this.#isReferenced = false;
    this.handle?.unref();
    return this;
  }

  get bytesRead(): number {
    return this.handle?.bytesRead ?? this.#finalBytesRead;
  }

  /** As in Node.js, this includes the bytes that the stream still buffers. `writableLength` includes the bytes in flight, too. */
  get bytesWritten(): number {
    return this.#dispatchedBytes + this.writableLength - this.#bytesInFlight;
  }

  address(): { readonly address?: string; readonly family?: string; readonly port?: number } {
    const localAddress = this.#findLocalAddress();
    if (localAddress === undefined) return {};
    const [address, family, port] = localAddress;
    return { address, family: `IPv${family}`, port };
  }

  #findLocalAddress(): SocketAddress | undefined {
    return (this.#addresses.local ??= this.handle?.localAddress());
  }

  #findRemoteAddress(): SocketAddress | undefined {
    return this.connecting ? undefined : (this.#addresses.remote ??= this.handle?.remoteAddress());
  }

  get localAddress(): string | undefined {
    return this.#findLocalAddress()?.[0];
  }

  get remoteAddress(): string | undefined {
    return this.#findRemoteAddress()?.[0];
  }

  get remotePort(): number | undefined {
    return this.#findRemoteAddress()?.[2];
  }
}

/** Replaces `write` of a socket that must not stay half open after the other side has ended. */
function writeAfterEnd(this: Socket, ...values: unknown[]): boolean {
  if (!this.writableEnded) return Reflect.apply(writeStream, this, values);
  const callback = values.find((value) => typeof value === "function");
  const error = codedError("EPIPE", "This socket has been ended by the other party");
  if (typeof callback === "function") nextTick(() => void Reflect.apply(callback, undefined, [error]));
  this.destroy(error);
  return false;
}
