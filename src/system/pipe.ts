/** Reads a pipe to its end within a time limit, without blocking the event loop. */
import { readlinkSync, readSync } from "node:fs";
import { systemErrorCode, attempt } from "./errors.ts";

const POLL_MS = 10;

/**
 * Reads a pipe to its end. It was opened with O_NONBLOCK at the path, so that its writer may come later.
 * @throws the system's error
 */
export async function readPipe(
  descriptor: number,
  path: string | Buffer,
  maxBytes: number,
  waitMs: number,
): Promise<Buffer | "TOO_LARGE" | "NO_END"> {
  // Reading a named pipe that has no writer yet looks like its end. A pipe without a name always has its writers.
  const mayWaitForWriter = !isAnonymous(path);
  const chunks: Buffer[] = [];
  let length = 0;
  // The global `performance` would take 0.9 ms to load.
  const end = process.uptime() + waitMs / 1000;
  for (;;) {
    const chunk = Buffer.allocUnsafe(65_536);
    const bytes = readAvailable(descriptor, chunk);
    if (bytes === 0 && !(mayWaitForWriter && length === 0)) return Buffer.concat(chunks, length);
    if (bytes !== undefined && bytes > 0) {
      chunks.push(chunk.subarray(0, bytes));
      length += bytes;
      if (length > maxBytes) return "TOO_LARGE";
    } else {
      if (process.uptime() >= end) return "NO_END";
      await new Promise((resolve) => void setTimeout(resolve, POLL_MS));
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
function isAnonymous(path: string | Buffer): boolean {
  return attempt(() => readlinkSync(path).startsWith("pipe:")) === true;
}
