/** Reads, writes and closes descriptors without an exception for what other processes do. */
import { closeSync, readSync, write as writeSome } from "node:fs";
import { systemErrorCode } from "../../system/errors.ts";

/** The longest pause before the next write to a full descriptor that another process made non-blocking. */
const LONGEST_PAUSE_MS = 16;

/**
 * Writes all bytes to a descriptor, in another thread: the descriptor stays blocking for the processes that share it.
 *
 * @returns the code of the system's error, such as `EPIPE`, if not all was written
 */
export async function writeAll(descriptor: number, bytes: Uint8Array): Promise<string | undefined> {
  let pause = 1;
  for (let offset = 0; offset < bytes.length;) {
    const outcome = await new Promise<number | string>((resolve) => {
      writeSome(descriptor, bytes, offset, bytes.length - offset, null, (error, written) => {
        resolve(error === null ? written : (systemErrorCode(error) ?? "UNKNOWN"));
      });
    });
    if (typeof outcome === "number") {
      offset += outcome;
      pause = 1;
    } else if (outcome === "EAGAIN") {
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    } else return outcome;
  }
  return undefined;
}

/**
 * Reads from a descriptor that is non-blocking or readable.
 *
 * @returns 0 at the end, which on the master side of a pseudo-terminal is an error
 */
export function readNow(descriptor: number, buffer: Uint8Array): number | "nothing" {
  try {
    return readSync(descriptor, buffer);
  } catch (error) {
    return systemErrorCode(error) === "EAGAIN" ? "nothing" : 0;
  }
}

/** Closes a descriptor that may be closed already. */
export function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // EBADF
  }
}
