/**
 * Streams of the executable's runtime that read and write descriptors, as the modules net and tty of Node.js do. There are two kinds:
 *
 *   pipes to and from a child process   non-blocking local sockets. The child's output is read, and its input is written.
 *   the standard input (descriptor 0)   any kind of file. It may be in blocking mode, so that it is read only once poll(2) reports
 *                                       it readable. It is never closed.
 *
 * While a stream reads or writes, it watches its descriptor, which keeps the event loop alive unless `unref` was called.
 */
import type { Buffer as NodeBuffer } from "node:buffer";
import { addImmediate, POLLIN, POLLOUT, watch, type Watch } from "../loop.ts";
import { natives } from "../native.ts";
import { Buffer } from "./buffer.ts";
import { Duplex } from "./stream.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  readonly read: (descriptor: number, buffer: Uint8Array, offset: number, length: number, position: number) => number;
  /** Writes the bytes from an offset on. @returns the number of written bytes, or a negated error number (errno) */
  readonly sendToPair: (descriptor: number, bytes: Uint8Array, offset: number) => number;
  /** Ends the writing side, so that the other end reads the end of the file. @returns 0, or a negated error number (errno) */
  readonly shutDownSocket: (descriptor: number) => number;
  readonly systemError: (error: number, syscall: string) => Error;
}

type WriteCallback = (error?: Error | null) => void;

const native = natives<Natives>();

/** The number of bytes that Node.js also reads at once. */
const CHUNK_BYTES = 65_536;
/** The position at which `read` continues where the last one has ended. */
const CURRENT_POSITION = -1;
/** The descriptor of standard error. */
const LAST_STANDARD_STREAM = 2;
const EAGAIN = 11;

export interface DescriptorStreamOptions {
  readonly readable: boolean;
  /** True for a non-blocking socket, which can also be written. Otherwise the stream is only read. */
  readonly isSocket: boolean;
}

/** Ends when both of its sides have ended, as a net.Socket does. Closes the descriptor unless it is a standard stream. */
export class DescriptorStream extends Duplex {
  readonly #descriptor: number;
  readonly #watches = new Set<Watch>();
  /** Is set while the stream reads. */
  #readWatch: Watch | undefined;
  #isReferenced = true;

  constructor(descriptor: number, { readable, isSocket }: DescriptorStreamOptions) {
    // The type `object` is needed, because the types of Node.js lack `readable` and `writable`.
    const options: object = { allowHalfOpen: false, readable, writable: isSocket };
    super(options);
    this.#descriptor = descriptor;
    // As in Node.js, reading begins at once, so that the end of the child's output is noticed even if nothing reads the stream.
    if (readable && isSocket) this.read(0);
  }

  ref(): this {
    return this.#setReferenced(true);
  }

  unref(): this {
    return this.#setReferenced(false);
  }

  override _read(): void {
    this.#readWatch ??= this.#addWatch(POLLIN, () => this.#readSome());
  }

  override _write(chunk: NodeBuffer, _encoding: string, callback: WriteCallback): void {
    this.#writeFrom(chunk, 0, callback);
  }

  override _final(callback: WriteCallback): void {
    native.shutDownSocket(this.#descriptor);
    // Node.js calls back in a later turn of the event loop.
    addImmediate(() => callback());
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    for (const openWatch of this.#watches) openWatch.close();
    this.#watches.clear();
    if (this.#descriptor > LAST_STANDARD_STREAM) native.close(this.#descriptor);
    callback(error);
  }

  /** Reads a chunk when poll(2) has reported the descriptor readable. Stops reading at the end and if the buffer is full. */
  #readSome(): void {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let length: number;
    try {
      length = native.read(this.#descriptor, chunk, 0, CHUNK_BYTES, CURRENT_POSITION);
    } catch (error) {
      // EAGAIN: another process that shares the descriptor has already read the data.
      if (hasErrorNumber(error, EAGAIN)) return;
      return void this.destroy(error instanceof Error ? error : undefined);
    }
    const isEnd = length === 0;
    // `push` returns false if the buffer of the stream is full.
    const wantsMore = this.push(isEnd ? null : chunk.subarray(0, length));
    if (wantsMore && !isEnd) return;
    this.#removeWatch(this.#readWatch);
    this.#readWatch = undefined;
  }

  /** Writes a chunk from an offset on. If the system does not accept all of it, the rest is written once the descriptor is writable. */
  #writeFrom(chunk: NodeBuffer, offset: number, callback: WriteCallback): void {
    const result = native.sendToPair(this.#descriptor, chunk, offset);
    if (result < 0 && result !== -EAGAIN) return callback(native.systemError(-result, "write"));
    const written = Math.max(result, 0);
    const nextOffset = offset + written;
    if (nextOffset === chunk.length) return callback();
    const writeWatch = this.#addWatch(POLLOUT, () => {
      this.#removeWatch(writeWatch);
      this.#writeFrom(chunk, nextOffset, callback);
    });
  }

  #addWatch(events: number, callback: () => void): Watch {
    const newWatch = watch(this.#descriptor, events, callback);
    if (!this.#isReferenced) newWatch.unref();
    this.#watches.add(newWatch);
    return newWatch;
  }

  #removeWatch(oldWatch: Watch | undefined): void {
    if (oldWatch === undefined) return;
    oldWatch.close();
    this.#watches.delete(oldWatch);
  }

  #setReferenced(isReferenced: boolean): this {
    this.#isReferenced = isReferenced;
    for (const openWatch of this.#watches) {
      if (isReferenced) openWatch.ref();
      else openWatch.unref();
    }
    return this;
  }
}

/** Returns true for a system error with this number. In errors of Node.js, the number is negated. */
function hasErrorNumber(error: unknown, errorNumber: number): boolean {
  return error instanceof Error && "errno" in error && error.errno === -errorNumber;
}
