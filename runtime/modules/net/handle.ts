/**
 * The connections below the sockets of node:net. A socket reads and writes its connection through a `StreamHandle`, of which there
 * are two kinds: `DescriptorHandle` is a connection by TCP or by a Unix domain socket, which never blocks, and `TlsHandle`
 * (../tls/session.ts) encrypts what another handle carries.
 *
 * As in libuv, errors are returned as negative errnos, such as -111 for ECONNREFUSED.
 */
import type { Buffer } from "../buffer.ts";
import { addImmediate, POLLERR, POLLHUP, POLLIN, POLLOUT, runCallback, watch } from "../../loop.ts";
import { natives } from "../../native.ts";
import { EAGAIN, ECANCELED, ECONNREFUSED, EINPROGRESS } from "./errors.ts";

/** The functions that return a number return a negative errno if they fail. */
interface Natives {
  readonly close: (descriptor: number) => void;
  readonly openSocket: (family: SocketFamily) => number;
  readonly connectSocket: (descriptor: number, family: SocketFamily, address: string, port: number) => number;
  /** @returns 0 if the socket is connected; otherwise the errno of connecting */
  readonly errorOfSocket: (descriptor: number) => number;
  /** @returns the bytes; 0 at the end */
  readonly readSocket: (descriptor: number) => Buffer | number;
  readonly hasInput: (descriptor: number) => boolean;
  /** Writes chunks, of which the first begins at an offset. @returns the number of bytes that were written */
  readonly writeSocket: (descriptor: number, chunks: readonly Uint8Array[], offset: number) => number;
  readonly shutDownSocket: (descriptor: number) => number;
  readonly setNoDelay: (descriptor: number, on: boolean) => number;
  readonly setKeepAlive: (descriptor: number, on: boolean, seconds: number) => number;
  readonly nameOfSocket: (descriptor: number) => SocketAddress | undefined;
  readonly nameOfPeer: (descriptor: number) => SocketAddress | undefined;
}

const native = natives<Natives>();

export const NO_DESCRIPTOR = -1;

/** The version of IP, or 0 for a Unix domain socket, whose address is a path. */
export type SocketFamily = 0 | 4 | 6;
export type SocketAddress = readonly [address: string, family: 4 | 6, port: number];
/** Gets 0 for success, or a negative errno. */
export type StatusCallback = (status: number) => void;

export interface StreamHandle {
  readonly isReading: boolean;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Is called with the bytes that were read, with null at the end, or with a negative errno. */
  onRead: (chunk: Buffer | null | number) => void;
  startReading(): void;
  stopReading(): void;
  /** Returns true if bytes, the end or an error can be read now. */
  hasInput(): boolean;
  /**
   * Writes the chunks.
   *
   * @returns true if all chunks are written; a negative errno if the write has failed; undefined if the write is pending.
   *   The callback is called only after undefined, when the write has ended.
   */
  write(chunks: readonly Uint8Array[], callback: StatusCallback): true | undefined | number;
  /** Ends the writing side after the pending writes. */
  shutDown(callback: StatusCallback): void;
  close(callback: () => void): void;
  ref(): void;
  unref(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean, seconds: number): void;
  localAddress(): SocketAddress | undefined;
  remoteAddress(): SocketAddress | undefined;
}

/** A write that is not complete, because the kernel takes no more bytes at present. */
interface PendingWrite {
  /** The chunks that are not completely written. */
  chunks: readonly Uint8Array[];
  /** The number of bytes of the first chunk that are written. */
  offset: number;
  readonly callback: StatusCallback;
}

export class DescriptorHandle implements StreamHandle {
  isReading = false;
  bytesRead = 0;
  bytesWritten = 0;
  onRead: StreamHandle["onRead"] = () => {};
  /** NO_DESCRIPTOR before `connect` and after `close`. */
  #descriptor: number;
  #watch: ReturnType<typeof watch> | undefined;
  #isReferenced = true;
  /** The callback of `connect` while the kernel connects; undefined otherwise. */
  #onConnected: StatusCallback | undefined;
  readonly #pendingWrites: PendingWrite[] = [];

  /** @param descriptor a connected, non-blocking socket, which this handle closes; none if `connect` will open a socket */
  constructor(descriptor = NO_DESCRIPTOR) {
    this.#descriptor = descriptor;
  }

  /** @returns 0 if the callback will be called with the result; otherwise a negative errno */
  connect(family: SocketFamily, address: string, port: number, callback: StatusCallback): number {
    const descriptor = native.openSocket(family);
    if (descriptor < 0) return descriptor;
    this.#descriptor = descriptor;
    const status = native.connectSocket(descriptor, family, address, port);
    const isLocal = family === 0;
    if (status === ECONNREFUSED || isLocal) {
      // As libuv does, these results are reported in a later turn of the event loop.
      addImmediate(() => {
        const wasClosed = this.#descriptor === NO_DESCRIPTOR;
        if (!wasClosed) callback(status);
      });
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
    // Most writes have no empty chunk, so their list is used as it is.
    const write = { chunks: chunks.every(hasBytes) ? chunks : chunks.filter(hasBytes), offset: 0, callback };
    const status = this.#pendingWrites.length > 0 ? EAGAIN : this.#continueWrite(write);
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
    // A socket ends only after its own writes, but TLS may have added a last record. An empty write comes after that.
    this.#pendingWrites.push({
      chunks: [],
      offset: 0,
      callback: (status) => (status < 0 ? callback(status) : shutDownNow()),
    });
  }

  /** Closes the descriptor. Pending writes fail with ECANCELED before the callback is called. */
  close(callback: () => void): void {
    this.isReading = false;
    this.#watch?.close();
    this.#watch = undefined;
    if (this.#descriptor !== NO_DESCRIPTOR) native.close(this.#descriptor);
    this.#descriptor = NO_DESCRIPTOR;
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

  /** Writes as many bytes as the kernel takes. @returns 0 if the write is complete; EAGAIN or another errno otherwise */
  #continueWrite(write: PendingWrite): number {
    while (write.chunks.length > 0) {
      const writtenLength = native.writeSocket(this.#descriptor, write.chunks, write.offset);
      if (writtenLength < 0) return writtenLength;
      this.bytesWritten += writtenLength;
      dropWrittenChunks(write, writtenLength);
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
    else if (events !== 0 && this.#descriptor !== NO_DESCRIPTOR) {
      this.#watch = watch(this.#descriptor, events, (occurred) => this.#handleEvents(occurred));
      if (!this.#isReferenced) this.#watch.unref();
    } else {
      // poll(2) reports hang-ups and errors even if it watches for no event. It would return at once in each turn of the loop.
      this.#watch?.close();
      this.#watch = undefined;
    }
  }

  #handleEvents(events: number): void {
    if (this.#onConnected !== undefined) return this.#finishConnecting(this.#onConnected);
    // Reading and writing return the error of a broken connection.
    const isBroken = (events & (POLLERR | POLLHUP)) !== 0;
    if (this.isReading && (isBroken || (events & POLLIN) !== 0)) runCallback(() => this.#read());
    // Reading may have closed this handle, after which there is no pending write.
    const [write] = this.#pendingWrites;
    if (write === undefined || !(isBroken || (events & POLLOUT) !== 0)) return;
    const status = this.#continueWrite(write);
    if (status === EAGAIN) return;
    this.#pendingWrites.shift();
    this.#watchEvents();
    write.callback(status);
  }

  /** Calls back with the result of `connect`, if there is one. */
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
    // Nothing follows the end or an error.
    this.stopReading();
    const isEnd = result === 0;
    this.onRead(isEnd ? null : result);
  }
}

/** Drops the chunks that are completely written. The rest of the written bytes belongs to the first chunk that remains. */
function dropWrittenChunks(write: PendingWrite, writtenLength: number): void {
  let bytesLeft = write.offset + writtenLength;
  let completeChunks = 0;
  for (const { length } of write.chunks) {
    if (bytesLeft < length) break;
    bytesLeft -= length;
    completeChunks += 1;
  }
  write.chunks = write.chunks.slice(completeChunks);
  write.offset = bytesLeft;
}

function hasBytes({ length }: Uint8Array): boolean {
  return length > 0;
}
