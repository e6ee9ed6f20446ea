import { codedError, systemFailure } from "../../errors.ts";
import { Duplex } from "../stream.ts";
import { nextTick, Timer } from "../../loop.ts";
import { beginConnecting, type ConnectOptions } from "./connect.ts";
import { DescriptorHandle, type Name, type StreamHandle } from "./handle.ts";

// oxlint-disable-next-line typescript/unbound-method -- called with the stream
const { write: writeStream } = Duplex.prototype;

export interface SocketOptions {
  readonly allowHalfOpen?: boolean | undefined;
  readonly noDelay?: boolean | undefined;
  readonly keepAlive?: boolean | undefined;
  /** Milliseconds. */
  readonly keepAliveInitialDelay?: number | undefined;
  readonly highWaterMark?: number | undefined;
  readonly readable?: boolean | undefined;
  readonly writable?: boolean | undefined;
  /** A descriptor that does not block, which the socket closes. */
  readonly fd?: number | undefined;
  readonly handle?: StreamHandle | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The server of an accepted socket. */
interface Owner {
  lost(): void;
}

type Callback = (error?: Error | null) => void;

export class Socket extends Duplex {
  connecting = false;
  /** Milliseconds, as last set. */
  timeout?: number;
  server: object | null = null;
  handle: StreamHandle | null = null;
  hadError = false;
  owner: Owner | null = null;
  #isReferenced = true;
  #timer: Timer | undefined;
  #isTimed = false;
  #noDelay: boolean;
  #keepAlive: boolean;
  #keepAliveSeconds: number;
  #bytesRead = 0;
  #consumer: ((bytes: Buffer) => void) | undefined;
  /** Bytes that the stream gave to write, and those of them that are not written yet. */
  #dispatched = 0;
  #inFlight = 0;
  #names: { own?: Name | undefined; peer?: Name | undefined } = {};

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
    const former = this.handle;
    if (former !== null) {
      former.onRead = () => {};
      former.close(() => {});
    }
    this.handle = handle;
    if (!this.#isReferenced) handle.unref();
    this.#names = {};
    handle.onRead = (chunk) => this.#take(handle, chunk);
  }

  connect(options: ConnectOptions, callback?: () => void): this {
    if (callback !== undefined) this.once("connect", callback);
    if (options.port === undefined && options.path == null) {
      throw codedError("ERR_MISSING_ARGS", 'The "options" or "port" or "path" argument must be specified', TypeError);
    }
    this.touch();
    this.connecting = true;
    beginConnecting(this, options);
    return this;
  }

  connected(): void {
    this.connecting = false;
    this.#names = {};
    this.touch();
    if (this.#noDelay) this.handle?.setNoDelay(true);
    if (this.#keepAlive) this.handle?.setKeepAlive(true, this.#keepAliveSeconds);
    this.emit("connect");
    this.emit("ready");
    if (!this.isPaused()) this.read(0);
  }

  #take(handle: StreamHandle, chunk: Buffer | null | number): void {
    this.touch();
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
    this.read(0);
  }

  override _read(): void {
    if (this.connecting || this.handle === null) this.once("connect", () => this.#startReading());
    else this.#startReading();
  }

  #startReading(): void {
    if (this.handle?.isReading === false) this.handle.startReading();
  }

  /** Gives all that comes to a function, in place of the stream: it needs neither a buffer nor events. The end is the stream's. */
  startConsuming(consumer: (bytes: Buffer) => void): void {
    this.#consumer = consumer;
    this.continueConsuming(true);
  }

  get isConsumed(): boolean {
    return this.#consumer !== undefined;
  }

  /** Reads, or stops that for a while. */
  continueConsuming(goesOn: boolean): void {
    const { handle } = this;
    if (handle === null || this.connecting || handle.isReading === goesOn) return;
    if (goesOn) handle.startReading();
    else handle.stopReading();
  }

  /** The stream has what comes now. */
  stopConsuming(): void {
    this.#consumer = undefined;
    if (!this.destroyed) this.continueConsuming(true);
  }

  /** Returns true if the connection has something to read that the event loop has not reported. */
  hasInput(): boolean {
    return this.handle?.hasInput() === true;
  }

  override _write(chunk: Buffer, _: string, callback: Callback): void {
    this.#send([chunk], callback);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: Callback): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  #send(chunks: readonly Uint8Array[], callback: Callback): void {
    this.#inFlight = 0;
    for (const { length } of chunks) this.#inFlight += length;
    this.#dispatched += this.#inFlight;
    this.#sendNow(chunks, (error) => {
      this.#inFlight = 0;
      callback(error);
    });
  }

  #sendNow(chunks: readonly Uint8Array[], callback: Callback): void {
    if (this.connecting) {
      const closed = (): void =>
        callback(
          codedError("ERR_SOCKET_CLOSED_BEFORE_CONNECTION", "Socket closed before the connection was established"),
        );
      this.once("connect", () => {
        this.off("close", closed);
        this.#sendNow(chunks, callback);
      });
      this.once("close", closed);
      return;
    }
    if (this.handle === null) return callback(codedError("ERR_SOCKET_CLOSED", "Socket is closed"));
    this.touch();
    const result = this.handle.write(chunks, (error) => {
      if (error !== 0) return callback(systemFailure(error, "write"));
      if (!this.destroyed) this.touch();
      callback(null);
    });
    if (result === true) callback(null);
    else if (result !== undefined) callback(systemFailure(result, "write"));
  }

  override _final(callback: Callback): void {
    if (this.connecting) this.once("connect", () => this.#shutDown(callback));
    else this.#shutDown(callback);
  }

  #shutDown(callback: Callback): void {
    if (this.handle === null) callback();
    else this.handle.shutDown(() => callback());
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.connecting = false;
    this.#timer?.close();
    const handle = this.handle;
    if (handle === null) {
      callback(error);
      nextTick(() => this.emit("close", false));
    } else {
      this.#bytesRead = handle.bytesRead;
      handle.onRead = () => {};
      handle.close(() => this.emit("close", error !== null));
      this.handle = null;
      callback(error);
    }
    this.owner?.lost();
  }

  /** Ends, and destroys the socket when all is written. */
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
    // HTTP sets it twice a request.
    if (ms === 0) this.#timer?.close();
    else if (this.#timer === undefined) this.#timer = new Timer(() => this.emit("timeout"), ms, false).unref();
    else this.#timer.restart(ms);
    if (callback === undefined) return this;
    return ms === 0 ? this.removeListener("timeout", callback) : this.once("timeout", callback);
  }

  touch(): void {
    if (this.#isTimed) this.#timer?.refresh();
  }

  setNoDelay(on = true): this {
    if (on !== this.#noDelay && !this.connecting) this.handle?.setNoDelay(on);
    this.#noDelay = on;
    return this;
  }

  setKeepAlive(on = false, delay = 0): this {
    const seconds = Math.trunc(delay / 1000);
    const isNew = on !== this.#keepAlive || (on && seconds !== this.#keepAliveSeconds);
    this.#keepAlive = on;
    this.#keepAliveSeconds = seconds;
    if (isNew && !this.connecting) this.handle?.setKeepAlive(on, seconds);
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
    return this.handle?.bytesRead ?? this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#dispatched + this.writableLength - this.#inFlight;
  }

  address(): { readonly address?: string; readonly family?: string; readonly port?: number } {
    const own = this.#own();
    return own === undefined ? {} : { address: own[0], family: `IPv${own[1]}`, port: own[2] };
  }

  #own(): Name | undefined {
    return (this.#names.own ??= this.handle?.nameOfSocket());
  }

  #peer(): Name | undefined {
    return this.connecting ? undefined : (this.#names.peer ??= this.handle?.nameOfPeer());
  }

  get localAddress(): string | undefined {
    return this.#own()?.[0];
  }

  get remoteAddress(): string | undefined {
    return this.#peer()?.[0];
  }

  get remotePort(): number | undefined {
    return this.#peer()?.[2];
  }
}

/** Replaces `write` after the other side has ended, if this one may not stay open. */
function writeAfterEnd(this: Socket, ...given: unknown[]): boolean {
  if (!this.writableEnded) return Reflect.apply(writeStream, this, given);
  const done = given.find((one) => typeof one === "function");
  const error = codedError("EPIPE", "This socket has been ended by the other party");
  if (typeof done === "function") nextTick(() => void Reflect.apply(done, undefined, [error]));
  this.destroy(error);
  return false;
}
