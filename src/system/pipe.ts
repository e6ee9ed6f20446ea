/**
 * Reads a pipe to its end within a time limit, without blocking the event loop. The user may name a pipe in place of a file:
 * `--dotenv <(command)` in a shell, or a named pipe.
 */
import { readlinkSync, readSync } from "node:fs";
import { systemErrorCode, attempt } from "./errors.ts";

/** The polling interval for a pipe without bytes. */
const POLLING_INTERVAL_MS = 10;
/** The time in which all pipes that are read one after another must end. */
const SHARED_WAIT_MS = 5000;
/** After this time without a pipe, the next pipe has the whole time again, because a process with `--watch` reads its files again. */
const RESET_AFTER_MS = 1000;

/**
 * The time that is left for further pipes, and when the last pipe was read, in seconds of `process.uptime()`. The readers of
 * `.env` files, of `NAME_FILE` and of tokens do not know of each other, so that none of them could pass this on.
 */
const sharedWait = { leftMs: SHARED_WAIT_MS, readAt: Number.NEGATIVE_INFINITY };

/**
 * Reads a pipe to its end. The caller has opened it with O_NONBLOCK, so that another process may open it for writing later.
 *
 * @param waitMs the time limit of this pipe alone; by default it shares {@link SHARED_WAIT_MS} with other pipes
 * @throws the system's error
 */
export async function readPipe(
  descriptor: number,
  path: string | Buffer,
  maxBytes: number,
  waitMs?: number,
): Promise<Buffer | "TOO_LARGE" | "NO_END"> {
  if (waitMs !== undefined) return readUntilTimeout(descriptor, path, maxBytes, waitMs);
  const startTime = process.uptime();
  if (startTime - sharedWait.readAt > RESET_AFTER_MS / 1000) sharedWait.leftMs = SHARED_WAIT_MS;
  try {
    return await readUntilTimeout(descriptor, path, maxBytes, sharedWait.leftMs);
  } finally {
    sharedWait.readAt = process.uptime();
    sharedWait.leftMs = Math.max(0, sharedWait.leftMs - (sharedWait.readAt - startTime) * 1000);
  }
}

/** Reads a pipe to its end. @param waitMs the time limit of this pipe */
async function readUntilTimeout(
  descriptor: number,
  path: string | Buffer,
  maxBytes: number,
  waitMs: number,
): Promise<Buffer | "TOO_LARGE" | "NO_END"> {
  // Reading a named pipe that has no writer yet looks like its end. A pipe without a name always has its writers.
  const mayWaitForWriter = !isAnonymousPipe(path);
  const chunks: Buffer[] = [];
  let length = 0;
  // The global `performance` would take 0.9 ms to load.
  const endTime = process.uptime() + waitMs / 1000;
  for (;;) {
    const chunk = Buffer.allocUnsafe(65_536);
    const readBytes = readAvailable(descriptor, chunk);
    const isWaitingForWriter = mayWaitForWriter && length === 0;
    if (readBytes === 0 && !isWaitingForWriter) return Buffer.concat(chunks, length);
    if (readBytes !== undefined && readBytes > 0) {
      chunks.push(chunk.subarray(0, readBytes));
      length += readBytes;
      if (length > maxBytes) return "TOO_LARGE";
    } else {
      if (process.uptime() >= endTime) return "NO_END";
      await new Promise((resolve) => void setTimeout(resolve, POLLING_INTERVAL_MS));
    }
  }
}

/** Reads without waiting. @returns the number of bytes, 0 at the end, undefined if no bytes are available yet */
function readAvailable(descriptor: number, buffer: Buffer): number | undefined {
  try {
    return readSync(descriptor, buffer, 0, buffer.length, null);
  } catch (error) {
    if (systemErrorCode(error) === "EAGAIN") return undefined;
    throw error;
  }
}

/** Returns true for a path such as `/dev/fd/63`, which leads to a pipe without a name. */
function isAnonymousPipe(path: string | Buffer): boolean {
  return attempt(() => readlinkSync(path).startsWith("pipe:")) === true;
}
