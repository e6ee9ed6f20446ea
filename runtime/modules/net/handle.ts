/**
 * The connection below a socket of node:net: a descriptor that is read and written without blocking. `StreamHandle` is what a
 * socket needs of its connection; `DescriptorHandle` is a connection by TCP or by a local socket, and `TlsHandle`
 * (../tls/session.ts) encrypts over one.
 *
 * As in libuv, an error is the negative number of the system's error, such as -111 for ECONNREFUSED.
 */
import type { Buffer } from "../buffer.ts";
import { addImmediate, POLLERR, POLLHUP, POLLIN, POLLOUT, runCallback, watch } from "../../loop.ts";
import { natives } from "../../native.ts";
import { EAGAIN, ECANCELED, ECONNREFUSED, EINPROGRESS } from "./errors.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  readonly openSocket: (family: SocketFamily) => number;
  readonly connectSocket: (descriptor: number, family: SocketFamily, address: string, port: number) => number;
  readonly errorOfSocket: (descriptor: number) => number;
  /** @returns the bytes, 0 at the end, or the negative number of an error */
  readonly readSocket: (descriptor: number) => Buffer | number;
  readonly hasInput: (descriptor: number) => boolean;
  /** @param skipped the number of bytes of the first chunk that are written already @returns the number of bytes, or an error */
  readonly writeSocket: (descriptor: number, chunks: readonly Uint8Array[], skipped: number) => number;
  readonly shutDownSocket: (descriptor: number) => number;
  readonly setNoDelay: (descriptor: number, on: boolean) => number;
  readonly setKeepAlive: (descriptor: number, on: boolean, seconds: number) => number;
  readonly nameOfSocket: (descriptor: number) => SocketAddress | undefined;
  readonly nameOfPeer: (descriptor: number) => SocketAddress | undefined;
}

const native = natives<Natives>();

/** The version of IP, or 0 for a local socket, whose address is a path. */
export type SocketFamily = 0 | 4 | 6;
export type SocketAddress = readonly [address: string, family: 4 | 6, port: number];
/** Gets 0, or the negative number of an error. */
export type StatusCallback = (status: number) => void;

export interface StreamHandle {
  readonly isReading: boolean;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Is called with the bytes that were read, with null at the end, or with the negative number of an error. */
  onRead: (chunk: Buffer | null | number) => void;
  startReading(): void;
  stopReading(): void;
  /** Returns true if bytes, the end or an error wait to be read. */
  hasInput(): boolean;
  /**
   * Writes all of the chunks.
   *
   * @param callback is called only if undefined is returned, when the write has ended
   * @returns true if everything is written already; the negative number of an error if the write has failed already
   */
  write(chunks: readonly Uint8Array[], callback: StatusCallback): true | undefined | number;
  /** Ends the writing side when the writes that wait have ended. */
  shutDown(callback: StatusCallback): void;
  close(callback: () => void): void;
  ref(): void;
  unref(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean, seconds: number): void;
  localAddress(): SocketAddress | undefined;
  remoteAddress(): SocketAddress | undefined;
}

/** A write of which the system has not taken everything. */
interface PendingWrite {
  /** The chunks that are not completely written. */
  chunks: readonly Uint8Array[];
  /** The number of bytes of the first chunk that are written. */
  skipped: number;
  readonly callback: StatusCallback;
}

export class DescriptorHandle implements StreamHandle {
  isReading = false;
  bytesRead = 0;
  bytesWritten = 0;
  onRead: StreamHandle["onRead"] = () => {};
  /** -1 before `connect` and after `close`. */
  #descriptor: number;
  #watch: ReturnType<typeof watch> | undefined;
  #isReferenced = true;
  /** Is set while the system connects. */
  #onConnected: StatusCallback | undefined;
  readonly #pendingWrites: PendingWrite[] = [];

  /** @param descriptor a connected socket that does not block, which this handle closes; -1 if `connect` will open one */
  constructor(descriptor = -1) {
    this.#descriptor = descriptor;
  }

  /** @returns 0 if the callback will get the result, or the negative number of an error, after which it is not called */
  connect(family: SocketFamily, address: string, port: number, callback: StatusCallback): number {
    const descriptor = native.openSocket(family);
    if (descriptor < 0) return descriptor;
    this.#descriptor = descriptor;
    const status = native.connectSocket(descriptor, family, address, port);
    const isLocal = family === 0;
    if (status === ECONNREFUSED || isLocal) {
      // As libuv does, these results are reported in a later turn of the event loop.
      addImmediate(() => this.#descriptor !== -1 && callback(status));
    } else if (status < 0 && status !== EINPROGRESS) return status;
    else {
      this.#onConnected = callback;
      this.#watchEvents();
    }
    return 0;
  }

  startReading(): void {
    this.isReading = true;
    this.#watchEvents();
  }

  stopReading(): void {
    this.isReading = false;
    this.#watchEvents();
  }

  hasInput(): boolean {
    return native.hasInput(this.#descriptor);
  }

  write(chunks: readonly Uint8Array[], callback: StatusCallback): true | undefined | number {
    const write = { chunks: chunks.every(hasBytes) ? chunks : chunks.filter(hasBytes), skipped: 0, callback };
    const status = this.#pendingWrites.length > 0 ? EAGAIN : this.#writeSome(write);
    if (status === 0) return true;
    if (status !== EAGAIN) return status;
    this.#pendingWrites.push(write);
    this.#watchEvents();
    return undefined;
  }

  shutDown(callback: StatusCallback): void {
    const shutDownNow = (): void => {
      native.shutDownSocket(this.#descriptor);
      addImmediate(() => callback(0));
    };
    if (this.#pendingWrites.length === 0) return shutDownNow();
    // A socket waits for its own writes, but the last record of TLS may still be pending. An empty write comes after it.
    this.#pendingWrites.push({
      chunks: [],
      skipped: 0,
      callback: (status) => (status < 0 ? callback(status) : shutDownNow()),
    });
  }

  /** Closes the descriptor. Pending writes fail with ECANCELED before the callback is called. */
  close(callback: () => void): void {
    this.isReading = false;
    this.#watch?.close();
    this.#watch = undefined;
    if (this.#descriptor !== -1) native.close(this.#descriptor);
    this.#descriptor = -1;
    const canceledWrites = this.#pendingWrites.splice(0);
    addImmediate(() => {
      for (const write of canceledWrites) write.callback(ECANCELED);
      callback();
    });
  }

  ref(): void {
    this.#isReferenced = true;
    this.#watch?.ref();
  }

  unref(): void {
    this.#isReferenced = false;
    this.#watch?.unref();
  }

  setNoDelay(on: boolean): void {
    native.setNoDelay(this.#descriptor, on);
  }

  setKeepAlive(on: boolean, seconds: number): void {
    native.setKeepAlive(this.#descriptor, on, seconds);
  }

  localAddress(): SocketAddress | undefined {
    return native.nameOfSocket(this.#descriptor);
  }

  remoteAddress(): SocketAddress | undefined {
    return native.nameOfPeer(this.#descriptor);
  }

  /** Writes as much as the system takes. @returns 0 if that is everything; EAGAIN or another error otherwise */
  #writeSome(write: PendingWrite): number {
    while (write.chunks.length > 0) {
      const written = native.writeSocket(this.#descriptor, write.chunks, write.skipped);
      if (written < 0) return written;
      this.bytesWritten += written;
      // Drop the chunks that are completely written; the rest of the bytes belong to the first chunk that remains.
      let bytesLeft = write.skipped + written;
      let completeChunks = 0;
      for (const { length } of write.chunks) {
        if (bytesLeft < length) break;
        bytesLeft -= length;
        completeChunks += 1;
      }
      write.chunks = write.chunks.slice(completeChunks);
      write.skipped = bytesLeft;
    }
    return 0;
  }

  /** Watches the descriptor for the events that matter in the present state. */
  #watchEvents(): void {
    const isConnecting = this.#onConnected !== undefined;
    const readEvents = this.isReading && !isConnecting ? POLLIN : 0;
    const writeEvents = this.#pendingWrites.length > 0 || isConnecting ? POLLOUT : 0;
    const events = readEvents | writeEvents;
    if (this.#watch !== undefined && events !== 0) this.#watch.change(events);
    else if (events !== 0 && this.#descriptor !== -1) {
      this.#watch = watch(this.#descriptor, events, (occurred) => this.#handleEvents(occurred));
      if (!this.#isReferenced) this.#watch.unref();
    } else {
      // poll(2) reports ends and errors even if no event is asked for, and would return at once in each turn.
      this.#watch?.close();
      this.#watch = undefined;
    }
  }

  #handleEvents(events: number): void {
    if (this.#onConnected !== undefined) return this.#finishConnecting(this.#onConnected);
    const isBroken = (events & (POLLERR | POLLHUP)) !== 0;
    if (this.isReading && (isBroken || (events & POLLIN) !== 0)) runCallback(() => this.#read());
    // Reading may have closed this handle, which leaves no pending write.
    const [write] = this.#pendingWrites;
    if (write === undefined || !(isBroken || (events & POLLOUT) !== 0)) return;
    const status = this.#writeSome(write);
    if (status === EAGAIN) return;
    this.#pendingWrites.shift();
    this.#watchEvents();
    write.callback(status);
  }

  #finishConnecting(callback: StatusCallback): void {
    const status = native.errorOfSocket(this.#descriptor);
    if (status === EINPROGRESS) return;
    this.#onConnected = undefined;
    this.#watchEvents();
    callback(status);
  }

  #read(): void {
    const result = native.readSocket(this.#descriptor);
    if (result === EAGAIN) return;
    if (typeof result === "object") {
      this.bytesRead += result.length;
      return this.onRead(result);
    }
    this.stopReading();
    this.onRead(result === 0 ? null : result);
  }
}

function hasBytes({ length }: Uint8Array): boolean {
  return length > 0;
}
