/** Reads, writes and closes descriptors. What other processes do to the other side causes no exception. */
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
  let pause = 1;
  for (let offset = 0; offset < bytes.length;) {
    const countOrCode = await new Promise<number | string>((resolve) => {
      writeInThread(descriptor, bytes, offset, bytes.length - offset, null, (error, written) => {
        resolve(error === null ? written : (systemErrorCode(error) ?? "UNKNOWN"));
      });
    });
    if (typeof countOrCode === "number") {
      offset += countOrCode;
      pause = 1;
    } else if (countOrCode === "EAGAIN") {
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(2 * pause, MAX_PAUSE_MS);
    } else return countOrCode;
  }
  return undefined;
}

/**
 * Reads what is available.
 *
 * @param descriptor must be non-blocking, or have something to read
 * @returns the number of bytes; 0 at the end of the stream, and on an error, by which a pseudo-terminal ends
 */
export function readNow(descriptor: number, buffer: Uint8Array): number | "nothing" {
  try {
    return readSync(descriptor, buffer);
  } catch (error) {
    return systemErrorCode(error) === "EAGAIN" ? "nothing" : 0;
  }
}

/** Closes a descriptor, which may be closed already. */
export function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // The descriptor is closed already.
  }
}
