/**
 * Reads, writes and closes the descriptors of masked outputs. Whatever other processes do to the other side of a pipe or terminal, these
 * functions report it by their result, and throw nothing.
 */
import { closeSync, readSync, write as writeInThread } from "node:fs";
import { systemErrorCode } from "../../system/errors.ts";

/** The longest pause before the next attempt to write to a full descriptor that another process has made non-blocking. */
const MAX_PAUSE_MS = 16;

/**
 * Writes all bytes. It does so in another thread, since a descriptor that other processes share must stay blocking.
 *
 * @returns the code of the system's error; undefined if all bytes were written
 */
export async function writeAll(descriptor: number, bytes: Uint8Array): Promise<string | undefined> {
  let pauseMs = 1;
  let offset = 0;
  while (offset < bytes.length) {
    const countOrCode = await new Promise<number | string>((resolve) => {
      writeInThread(descriptor, bytes, offset, bytes.length - offset, null, (error, written) => {
        resolve(error === null ? written : (systemErrorCode(error) ?? "UNKNOWN"));
      });
    });
    if (typeof countOrCode === "number") {
      offset += countOrCode;
      pauseMs = 1;
    } else if (countOrCode === "EAGAIN") {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    } else return countOrCode;
  }
  return undefined;
}

/**
 * Reads what is available.
 *
 * @param descriptor must be non-blocking, or have something to read
 * @returns the number of bytes; 0 at the end of the stream, and after an error: a pseudo-terminal without a writer fails with EIO
 */
export function readNow(descriptor: number, buffer: Uint8Array): number | "nothing" {
  try {
    return readSync(descriptor, buffer);
  } catch (error) {
    return systemErrorCode(error) === "EAGAIN" ? "nothing" : 0;
  }
}

/** Closes a descriptor unless it is closed already. */
export function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // The descriptor is closed already.
  }
}
