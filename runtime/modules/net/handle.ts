/** Descriptors that are read and written without blocking. */
import type { Buffer } from "../buffer.ts";
import { addImmediate, POLLERR, POLLHUP, POLLIN, POLLOUT, runCallback, watch } from "../../loop.ts";
import { natives } from "../../native.ts";
import { EAGAIN, ECANCELED, ECONNREFUSED, EINPROGRESS } from "./errors.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  readonly openSocket: (family: Family) => number;
  readonly connectSocket: (descriptor: number, family: Family, address: string, port: number) => number;
  readonly errorOfSocket: (descriptor: number) => number;
  readonly readSocket: (descriptor: number) => Buffer | number;
  readonly hasInput: (descriptor: number) => boolean;
  readonly writeSocket: (descriptor: number, chunks: readonly Uint8Array[], skipped: number) => number;
  readonly shutDownSocket: (descriptor: number) => number;
  readonly setNoDelay: (descriptor: number, on: boolean) => number;
  readonly setKeepAlive: (descriptor: number, on: boolean, seconds: number) => number;
  readonly nameOfSocket: (descriptor: number) => Name | undefined;
  readonly nameOfPeer: (descriptor: number) => Name | undefined;
}

const native = natives<Natives>();

/** 0 is that of local sockets, with paths for addresses. */
export type Family = 0 | 4 | 6;
/** Address, family and port. */
export type Name = readonly [address: string, family: 4 | 6, port: number];
/** Gets 0, or the negative number of an error. */
export type Done = (error: number) => void;

/** The connection of a socket. */
export interface StreamHandle {
  readonly isReading: boolean;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Gets what was read, null at the end, or the negative number of an error. */
  onRead: (chunk: Buffer | null | number) => void;
  startReading(): void;
  stopReading(): void;
  /** Returns true if something waits to be read: bytes, the end or an error. */
  hasInput(): boolean;
  /** @returns true if all is written; else `done` is called later. The negative number of an error */
  write(chunks: readonly Uint8Array[], done: Done): true | undefined | number;
  /** Ends the writing side. */
  shutDown(done: Done): void;
  close(done: () => void): void;
  ref(): void;
  unref(): void;
  setNoDelay(on: boolean): void;
  setKeepAlive(on: boolean, seconds: number): void;
  nameOfSocket(): Name | undefined;
  nameOfPeer(): Name | undefined;
}

interface Write {
  chunks: readonly Uint8Array[];
  skipped: number;
  readonly done: Done;
}

export class DescriptorHandle implements StreamHandle {
  isReading = false;
  bytesRead = 0;
  bytesWritten = 0;
  onRead: StreamHandle["onRead"] = () => {};
  #descriptor: number;
  #watch: ReturnType<typeof watch> | undefined;
  #isReferenced = true;
  #connected: Done | undefined;
  readonly #writes: Write[] = [];

  /** @param descriptor one that does not block, which this handle closes */
  constructor(descriptor = -1) {
    this.#descriptor = descriptor;
  }

  /** @returns the negative number of an error, else 0, and `done` is called later */
  connect(family: Family, address: string, port: number, done: Done): number {
    const descriptor = native.openSocket(family);
    if (descriptor < 0) return descriptor;
    this.#descriptor = descriptor;
    const error = native.connectSocket(descriptor, family, address, port);
    // As libuv: these come later.
    if (error === ECONNREFUSED || family === 0) addImmediate(() => this.#descriptor !== -1 && done(error));
    else if (error < 0 && error !== EINPROGRESS) return error;
    else {
      this.#connected = done;
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

  write(chunks: readonly Uint8Array[], done: Done): true | undefined | number {
    const write = { chunks: chunks.every(hasBytes) ? chunks : chunks.filter(hasBytes), skipped: 0, done };
    const result = this.#writes.length > 0 ? EAGAIN : this.#advance(write);
    if (result === 0) return true;
    if (result !== EAGAIN) return result;
    this.#writes.push(write);
    this.#watchEvents();
    return undefined;
  }

  shutDown(done: Done): void {
    const shutDown = (): void => {
      native.shutDownSocket(this.#descriptor);
      addImmediate(() => done(0));
    };
    // The last record of TLS may still wait for room.
    if (this.#writes.length === 0) return shutDown();
    this.#writes.push({ chunks: [], skipped: 0, done: (status) => (status < 0 ? done(status) : shutDown()) });
  }

  close(done: () => void): void {
    this.isReading = false;
    this.#watch?.close();
    this.#watch = undefined;
    if (this.#descriptor !== -1) native.close(this.#descriptor);
    this.#descriptor = -1;
    const writes = this.#writes.splice(0);
    addImmediate(() => {
      for (const write of writes) write.done(ECANCELED);
      done();
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

  nameOfSocket(): Name | undefined {
    return native.nameOfSocket(this.#descriptor);
  }

  nameOfPeer(): Name | undefined {
    return native.nameOfPeer(this.#descriptor);
  }

  /** Writes as much as the system takes. @returns 0 if that is all, or the negative number of an error */
  #advance(write: Write): number {
    while (write.chunks.length > 0) {
      let written = native.writeSocket(this.#descriptor, write.chunks, write.skipped);
      if (written < 0) return written;
      this.bytesWritten += written;
      written += write.skipped;
      let count = 0;
      for (const { length } of write.chunks) {
        if (written < length) break;
        written -= length;
        count += 1;
      }
      write.chunks = write.chunks.slice(count);
      write.skipped = written;
    }
    return 0;
  }

  #watchEvents(): void {
    const isWriting = this.#writes.length > 0 || this.#connected !== undefined;
    const events = (this.isReading && this.#connected === undefined ? POLLIN : 0) | (isWriting ? POLLOUT : 0);
    if (this.#watch !== undefined && events !== 0) this.#watch.change(events);
    else if (events !== 0 && this.#descriptor !== -1) {
      this.#watch = watch(this.#descriptor, events, (found) => this.#act(found));
      if (!this.#isReferenced) this.#watch.unref();
    } else {
      // poll(2) reports ends and errors also to those who do not read.
      this.#watch?.close();
      this.#watch = undefined;
    }
  }

  #act(found: number): void {
    const isBroken = (found & (POLLERR | POLLHUP)) !== 0;
    if (this.#connected !== undefined) {
      const done = this.#connected;
      const error = native.errorOfSocket(this.#descriptor);
      if (error === EINPROGRESS) return;
      this.#connected = undefined;
      this.#watchEvents();
      return done(error);
    }
    if (this.isReading && (isBroken || (found & POLLIN) !== 0)) runCallback(() => this.#read());
    const [write] = this.#writes;
    if (write === undefined || !(isBroken || (found & POLLOUT) !== 0)) return;
    const result = this.#advance(write);
    if (result === EAGAIN) return;
    this.#writes.shift();
    this.#watchEvents();
    write.done(result);
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
