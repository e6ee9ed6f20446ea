/** Streams over descriptors that are not network sockets: those of a child, and the standard input. */
import type { Buffer as NodeBuffer } from "node:buffer";
import { addImmediate, POLLIN, POLLOUT, watch, type Watch } from "../loop.ts";
import { natives } from "../native.ts";
import { Buffer } from "./buffer.ts";
import { Duplex } from "./stream.ts";

interface Natives {
  readonly close: (descriptor: number) => void;
  readonly read: (descriptor: number, to: Uint8Array, offset: number, length: number, position: number) => number;
  readonly sendToPair: (descriptor: number, bytes: Uint8Array, offset: number) => number;
  readonly shutDownSocket: (descriptor: number) => number;
  readonly systemError: (error: number, syscall: string) => Error;
}

type Done = (error?: Error | null) => void;

const native = natives<Natives>();

const CHUNK_BYTES = 65_536;
const EAGAIN = 11;

export interface Kind {
  readonly readable: boolean;
  /** The descriptor is a socket that does not block. Else it is only read, once it is readable. */
  readonly isSocket: boolean;
}

/** Ends when both of its sides have ended, as a net.Socket does. Keeps the event loop alive while it reads or writes. */
export class DescriptorStream extends Duplex {
  readonly #descriptor: number;
  readonly #watches = new Set<Watch>();
  #reading: Watch | undefined;
  #isReferenced = true;

  constructor(descriptor: number, { readable, isSocket }: Kind) {
    // The types lack two options.
    const options: object = { allowHalfOpen: false, readable, writable: isSocket };
    super(options);
    this.#descriptor = descriptor;
    if (readable && isSocket) this.read(0);
  }

  ref(): this {
    return this.#refer(true);
  }

  unref(): this {
    return this.#refer(false);
  }

  override _read(): void {
    this.#reading ??= this.#watch(POLLIN, () => this.#readSome());
  }

  override _write(chunk: NodeBuffer, _encoding: string, done: Done): void {
    this.#writeFrom(chunk, 0, done);
  }

  override _final(done: Done): void {
    native.shutDownSocket(this.#descriptor);
    // Node.js calls back in another turn.
    addImmediate(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    for (const one of this.#watches) one.close();
    this.#watches.clear();
    if (this.#descriptor > 2) native.close(this.#descriptor);
    done(error);
  }

  #readSome(): void {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let length: number;
    try {
      length = native.read(this.#descriptor, chunk, 0, CHUNK_BYTES, -1);
    } catch (error) {
      // Another process was faster.
      if (isOf(error, EAGAIN)) return;
      return void this.destroy(error instanceof Error ? error : undefined);
    }
    const wantsMore = this.push(length === 0 ? null : chunk.subarray(0, length));
    if (wantsMore && length > 0) return;
    this.#reading = this.#unwatch(this.#reading);
  }

  #writeFrom(chunk: NodeBuffer, offset: number, done: Done): void {
    const put = native.sendToPair(this.#descriptor, chunk, offset);
    if (put < 0 && put !== -EAGAIN) return done(native.systemError(-put, "write"));
    const next = offset + Math.max(put, 0);
    if (next === chunk.length) return done();
    const writing = this.#watch(POLLOUT, () => {
      this.#unwatch(writing);
      this.#writeFrom(chunk, next, done);
    });
  }

  #watch(events: number, callback: () => void): Watch {
    const one = watch(this.#descriptor, events, callback);
    if (!this.#isReferenced) one.unref();
    this.#watches.add(one);
    return one;
  }

  #unwatch(one: Watch | undefined): undefined {
    if (one === undefined) return;
    one.close();
    this.#watches.delete(one);
  }

  #refer(isReferenced: boolean): this {
    this.#isReferenced = isReferenced;
    for (const one of this.#watches) {
      if (isReferenced) one.ref();
      else one.unref();
    }
    return this;
  }
}

function isOf(error: unknown, number: number): boolean {
  return error instanceof Error && "errno" in error && error.errno === -number;
}
