/**
 * The class Socket of node:net: a stream over a connection, which is its `handle`. A socket gets a handle when it connects, or
 * with its options if it is connected already.
 *
 * `connected`, `useHandle` and `handle` are for connect.ts and tls.ts. HTTP reads by `startConsuming`, past the stream.
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
  /** The milliseconds without a byte after which the system sends its first probe. */
  readonly keepAliveInitialDelay?: number | undefined;
  readonly highWaterMark?: number | undefined;
  readonly readable?: boolean | undefined;
  readonly writable?: boolean | undefined;
  /** A connected descriptor that does not block, which the socket closes. */
  readonly fd?: number | undefined;
  readonly handle?: StreamHandle | undefined;
  readonly signal?: AbortSignal | undefined;
}

type StreamCallback = (error?: Error | null) => void;

export class Socket extends Duplex {
  connecting = false;
  /** The milliseconds that `setTimeout` got. */
  timeout?: number;
  server: object | null = null;
  handle: StreamHandle | null = null;
  hadError = false;
  /** Tells the server of an accepted socket that the socket is destroyed. */
  onDestroyed: (() => void) | undefined;
  #isReferenced = true;
  #timer: Timer | undefined;
  #isTimed = false;
  #noDelay: boolean;
  #keepAlive: boolean;
  #keepAliveSeconds: number;
  /** The number of bytes that a destroyed socket has read. */
  #finalBytesRead = 0;
  #consumer: ((bytes: Buffer) => void) | undefined;
  /** The number of bytes that the stream has passed to `#dispatch`, and how many of them are not written yet. */
  #dispatchedBytes = 0;
  #bytesInFlight = 0;
  #addresses: { local?: SocketAddress | undefined; remote?: SocketAddress | undefined } = {};

  constructor(options: SocketOptions = {}) {
    super({
      allowHalfOpen: options.allowHalfOpen === true,
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
    if (options.readable !== false) this.read(0);
  }

  useHandle(handle: StreamHandle): void {
    const formerHandle = this.handle;
    if (formerHandle !== null) {
      formerHandle.onRead = () => {};
      formerHandle.close(() => {});
    }
    this.handle = handle;
    if (!this.#isReferenced) handle.unref();
    this.#addresses = {};
    handle.onRead = (chunk) => this.#receive(handle, chunk);
  }

  /** @throws an Error of Node.js for an invalid host or port. Other errors destroy the socket. */
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

  /** Ends `connecting`: the handle is connected. */
  connected(): void {
    this.connecting = false;
    this.#addresses = {};
    this.#restartTimeout();
    if (this.#noDelay) this.handle?.setNoDelay(true);
    if (this.#keepAlive) this.handle?.setKeepAlive(true, this.#keepAliveSeconds);
    this.emit("connect");
    this.emit("ready");
    if (!this.isPaused()) this.read(0);
  }

  /** Takes what `StreamHandle.onRead` gets: bytes, null at the end, or the negative number of an error. */
  #receive(handle: StreamHandle, chunk: Buffer | null | number): void {
    this.#restartTimeout();
    if (typeof chunk === "number") return void this.destroy(systemFailure(chunk, "read"));
    if (this.destroyed) return;
    if (chunk !== null) {
      const consumer = this.#consumer;
      if (consumer !== undefined) {
        if (this.listenerCount("data") > 0) this.emit("data", chunk);
        return consumer(chunk);
      }
      if (!this.push(chunk)) handle.stopReading();
      return;
    }
    this.push(null);
    // A stream emits 'end' only to those who read.
    this.read(0);
  }

  override _read(): void {
    if (this.connecting || this.handle === null) this.once("connect", () => this.#startReading());
    else this.#startReading();
  }

  #startReading(): void {
    if (this.handle?.isReading === false) this.handle.startReading();
  }

  /**
   * Gives all bytes to a function, in place of the stream, because the function needs neither a buffer nor events. The end of
   * the connection is still reported by the stream.
   */
  startConsuming(consumer: (bytes: Buffer) => void): void {
    this.#consumer = consumer;
    this.continueConsuming(true);
  }

  get isConsumed(): boolean {
    return this.#consumer !== undefined;
  }

  /** Reads for the consumer, or pauses that. */
  continueConsuming(goesOn: boolean): void {
    const { handle } = this;
    if (handle === null || this.connecting || handle.isReading === goesOn) return;
    if (goesOn) handle.startReading();
    else handle.stopReading();
  }

  /** Gives further bytes to the stream again. */
  stopConsuming(): void {
    this.#consumer = undefined;
    if (!this.destroyed) this.continueConsuming(true);
  }

  /** Returns true if the connection has something to read that the event loop has not reported. */
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

  /** Counts the bytes, and sends them. A stream passes on nothing more until the callback is called. */
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

  /** Emits 'timeout' after so many milliseconds without a byte; 0 switches that off. */
  setTimeout(ms: number, callback?: () => void): this {
    if (this.destroyed) return this;
    this.timeout = ms;
    this.#isTimed = ms !== 0;
    // HTTP sets the timeout twice a request, so the timer is used again.
    if (ms === 0) this.#timer?.close();
    else if (this.#timer === undefined) this.#timer = new Timer(() => this.emit("timeout"), ms, false).unref();
    else this.#timer.restart(ms);
    if (callback === undefined) return this;
    return ms === 0 ? this.removeListener("timeout", callback) : this.once("timeout", callback);
  }

  #restartTimeout(): void {
    if (this.#isTimed) this.#timer?.refresh();
  }

  setNoDelay(on = true): this {
    if (on !== this.#noDelay && !this.connecting) this.handle?.setNoDelay(on);
    this.#noDelay = on;
    return this;
  }

  /** @param delay milliseconds without a byte before the first probe */
  setKeepAlive(on = false, delay = 0): this {
    const seconds = Math.trunc(delay / 1000);
    const hasChanged = on !== this.#keepAlive || (on && seconds !== this.#keepAliveSeconds);
    this.#keepAlive = on;
    this.#keepAliveSeconds = seconds;
    // While the socket connects, `connected` will set it.
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

  /** Includes the bytes that the stream still buffers, as in Node.js. The bytes in flight are in both numbers. */
  get bytesWritten(): number {
    return this.#dispatchedBytes + this.writableLength - this.#bytesInFlight;
  }

  address(): { readonly address?: string; readonly family?: string; readonly port?: number } {
    const local = this.#localAddress();
    if (local === undefined) return {};
    const [address, family, port] = local;
    return { address, family: `IPv${family}`, port };
  }

  #localAddress(): SocketAddress | undefined {
    return (this.#addresses.local ??= this.handle?.localAddress());
  }

  #remoteAddress(): SocketAddress | undefined {
    return this.connecting ? undefined : (this.#addresses.remote ??= this.handle?.remoteAddress());
  }

  get localAddress(): string | undefined {
    return this.#localAddress()?.[0];
  }

  get remoteAddress(): string | undefined {
    return this.#remoteAddress()?.[0];
  }

  get remotePort(): number | undefined {
    return this.#remoteAddress()?.[2];
  }
}

/** Replaces `write` when the other side has ended and the socket must not stay half open. */
function writeAfterEnd(this: Socket, ...values: unknown[]): boolean {
  if (!this.writableEnded) return Reflect.apply(writeStream, this, values);
  const callback = values.find((value) => typeof value === "function");
  const error = codedError("EPIPE", "This socket has been ended by the other party");
  if (typeof callback === "function") nextTick(() => void Reflect.apply(callback, undefined, [error]));
  this.destroy(error);
  return false;
}
