/**
 * Reads what the program writes, from this process's end of a pipe or pseudo-terminal. A pump (pump.ts) has one source. With the addon
 * (masking-addon.ts) the source reads a descriptor; without it, a stream of Node.js.
 */
import type { Readable } from "node:stream";
import { readNow } from "./io.ts";
import type { Watcher } from "./masking-system.ts";

/** The size of a pipe that the addon makes, so that one read can take all that is in the pipe. */
const CHUNK_BYTES = 262_144;
/**
 * The size to which a program without privileges can enlarge a pipe. If a drain after the program's end reads more, it has begun to
 * read what background processes write.
 */
const MAX_DRAINED_BYTES = 1_048_576;
/** Limit on the turns of the event loop that a drain takes for a stream of Node.js, if background processes write without end. */
const MAX_DRAIN_TURNS = 64;

/** This process's end of a pipe or pseudo-terminal to which the program writes. */
export interface Source {
  /**
   * Begins to read. It reads the next chunk while `take` passes on the former chunk. Two buffers are used in turn, so that the memory of a
   * chunk is used again for the chunk after the next.
   *
   * @param onEnd is called once: after the last chunk was taken, or after `close`
   */
  start(take: TakeChunk, onEnd: () => void): void;
  /** Reads the available bytes, and pauses. @returns true at the end of the stream */
  drain(): Promise<boolean>;
  /** Continues to read after `drain`. */
  resume(): void;
  /** Closes the source: the program's next write fails (EPIPE). @returns the number of bytes that were not read */
  close(): number;
  /** undefined for a stream of Node.js. */
  readonly descriptor: number | undefined;
}

/** Passes a chunk on. Resolves when the memory of the chunk may be used again. */
type TakeChunk = (chunk: Uint8Array) => Promise<void>;

/** Returns a source that reads a descriptor. @param descriptor must be non-blocking; the source closes it */
export function readFrom(descriptor: number, watcher: Watcher): Source {
  return new DescriptorSource(descriptor, watcher);
}

/** Returns a source that reads a pipe which Node.js has made for the program, as it does without the addon. */
export function readFromStream(stream: Readable): Source {
  return new StreamSource(stream);
}

class DescriptorSource implements Source {
  readonly descriptor: number;
  readonly #watcher: Watcher;
  /** The next chunk is read into this buffer. */
  #buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  #otherBuffer = Buffer.allocUnsafe(CHUNK_BYTES);
  #state: "reading" | "draining" | "ended" = "reading";
  #isClosed = false;
  /** Resolves when the latest chunk was taken. */
  #lastTake: Promise<void> = Promise.resolve();
  #take: TakeChunk = async () => {};
  #onEnd: () => void = () => {};

  constructor(descriptor: number, watcher: Watcher) {
    this.descriptor = descriptor;
    this.#watcher = watcher;
  }

  start(take: TakeChunk, onEnd: () => void): void {
    this.#take = take;
    this.#onEnd = onEnd;
    this.#awaitBytes();
  }

  async drain(): Promise<boolean> {
    if (this.#state === "reading") this.#state = "draining";
    await this.#lastTake;
    let remainingBytes = MAX_DRAINED_BYTES;
    // `close` may be called during an `await`, and ends the stream.
    while (this.#state === "draining" && remainingBytes > 0) {
      const length = readNow(this.descriptor, this.#buffer);
      if (length === "nothing") break;
      if (length === 0) this.#state = "ended";
      else await this.#take(this.#buffer.subarray(0, length));
      remainingBytes -= length;
    }
    return this.#hasEnded();
  }

  resume(): void {
    if (this.#state !== "draining") return;
    this.#state = "reading";
    this.#read();
  }

  close(): number {
    if (this.#isClosed) return 0;
    this.#isClosed = true;
    this.#state = "ended";
    const unreadLength = this.#watcher.close(this.descriptor);
    void this.#lastTake.then(this.#onEnd);
    return unreadLength;
  }

  #awaitBytes(): void {
    this.#watcher.whenReadable(this.descriptor, () => this.#read());
  }

  /** Reads a chunk. The next read begins when the chunk before this one was taken, since it needs that chunk's buffer. */
  #read(): void {
    if (this.#state !== "reading") return;
    const length = readNow(this.descriptor, this.#buffer);
    if (length === "nothing") this.#awaitBytes();
    else if (length === 0) this.close();
    else {
      const formerTake = this.#lastTake;
      this.#lastTake = this.#take(this.#buffer.subarray(0, length));
      [this.#buffer, this.#otherBuffer] = [this.#otherBuffer, this.#buffer];
      void formerTake.then(() => this.#read());
    }
  }

  #hasEnded(): boolean {
    return this.#state === "ended";
  }
}

class StreamSource implements Source {
  readonly descriptor = undefined;
  readonly #stream: Readable;
  #hasEnded = false;
  #chunkCount = 0;
  /** Resolves when the latest chunk was taken. */
  #lastTake: Promise<void> = Promise.resolve();

  constructor(stream: Readable) {
    this.#stream = stream;
  }

  start(take: TakeChunk, onEnd: () => void): void {
    const stream = this.#stream;
    stream.on("data", (chunk: Uint8Array) => {
      this.#chunkCount += 1;
      stream.pause();
      this.#lastTake = take(chunk).then(() => void stream.resume());
    });
    stream.once("error", () => stream.destroy());
    stream.once("close", () => {
      this.#hasEnded = true;
      void this.#lastTake.then(onEnd);
    });
  }

  async drain(): Promise<boolean> {
    // Node.js reads from the pipe in each turn of the event loop. A turn without a chunk means that the pipe is empty.
    let formerCount = -1;
    for (let turn = 0; turn < MAX_DRAIN_TURNS && !this.#hasEnded && formerCount !== this.#chunkCount; turn++) {
      formerCount = this.#chunkCount;
      await this.#lastTake;
      // Two, since the first may still belong to the turn that has begun.
      for (const _ of [1, 2]) await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#lastTake;
    return this.#hasEnded;
  }

  /** Does nothing, because `drain` does not pause the stream. */
  resume(): void {}

  close(): number {
    this.#stream.destroy();
    // Node.js does not report how much is unread.
    return 0;
  }
}
