/** Sources: the ends of pipes and pseudo-terminals from which this process reads what the program writes. */
import type { Readable } from "node:stream";
import { readNow } from "./io.ts";
import type { Watcher } from "./masking-system.ts";

/** The size of the pipe, so that one read can take all that is in it. */
const CHUNK_BYTES = 262_144;
/**
 * The size to which a program without privileges can enlarge a pipe. A drain after the program's end that reads more has begun to read
 * what background processes write.
 */
const MAX_DRAINED_BYTES = 1_048_576;
/** Limit on the turns of the event loop that a drain takes for a stream of Node.js. */
const MAX_TURNS = 64;

/** This process's end of a pipe or pseudo-terminal to which the program writes. */
export interface Source {
  /**
   * Begins to read. It reads the next chunk while `take` passes on the one before. Two buffers are used in turn, so that the memory of a
   * chunk is used again for the chunk after the next.
   *
   * @param end is called once: after the last chunk was taken, or after `close`
   */
  readonly start: (take: Take, end: () => void) => void;
  /** Reads the available bytes, and pauses. @returns true at the end of the stream */
  readonly drain: () => Promise<boolean>;
  /** Continues to read after `drain`. */
  readonly resume: () => void;
  /** Closes the source: the program's next write fails (EPIPE). @returns the number of bytes that were not read */
  readonly close: () => number;
  readonly descriptor: number | undefined;
}

/** Passes a chunk on. */
type Take = (chunk: Uint8Array) => Promise<void>;

/** Returns a source that reads a descriptor. @param descriptor must be non-blocking; the source closes it */
export function readFrom(descriptor: number, watcher: Watcher): Source {
  let [buffer, formerBuffer] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)];
  let state: "reading" | "draining" | "ended" = "reading";
  /** Resolves when all chunks were taken. */
  let taking: Promise<void> = Promise.resolve();
  let take: Take = async () => {};
  let end = (): void => {};
  let isClosed = false;
  const close = (): number => {
    if (isClosed) return 0;
    isClosed = true;
    state = "ended";
    const unread = watcher.close(descriptor);
    void taking.then(end);
    return unread;
  };
  const read = (): void => {
    if (state !== "reading") return;
    const length = readNow(descriptor, buffer);
    if (length === "nothing") watcher.whenReadable(descriptor, read);
    else if (length === 0) close();
    else {
      const formerTaking = taking;
      taking = take(buffer.subarray(0, length));
      [buffer, formerBuffer] = [formerBuffer, buffer];
      void formerTaking.then(read);
    }
  };
  return {
    descriptor,
    start: (onChunk, ended) => {
      take = onChunk;
      end = ended;
      watcher.whenReadable(descriptor, read);
    },
    drain: async () => {
      if (state === "reading") state = "draining";
      await taking;
      for (let left = MAX_DRAINED_BYTES; state === "draining" && left > 0;) {
        const length = readNow(descriptor, buffer);
        if (length === "nothing") break;
        if (length === 0) state = "ended";
        else await take(buffer.subarray(0, length));
        left -= length;
      }
      return state === "ended";
    },
    resume: () => {
      if (state !== "draining") return;
      state = "reading";
      read();
    },
    close,
  };
}

/** Returns a source that reads a pipe which Node.js has made for the program. Without the addon there is no other. */
export function readFromStream(stream: Readable): Source {
  /** `received` counts the chunks. */
  const state = { ended: false, received: 0 };
  let taking: Promise<void> = Promise.resolve();
  return {
    descriptor: undefined,
    start: (take, end) => {
      stream.on("data", (chunk: Uint8Array) => {
        state.received += 1;
        stream.pause();
        taking = take(chunk).then(() => void stream.resume());
      });
      stream.once("error", () => stream.destroy());
      stream.once("close", () => {
        state.ended = true;
        void taking.then(end);
      });
    },
    drain: async () => {
      // Each turn of the event loop reads from the pipe's buffer.
      for (let turn = 0, formerCount = -1; turn < MAX_TURNS && !state.ended && formerCount !== state.received; turn++) {
        formerCount = state.received;
        await taking;
        for (const _ of [1, 2]) await new Promise((resolve) => setImmediate(resolve));
      }
      await taking;
      return state.ended;
    },
    resume: () => {},
    close: () => {
      stream.destroy();
      return 0;
    },
  };
}
