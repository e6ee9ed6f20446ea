/** Reads, writes and closes descriptors without an exception for what other processes do. */
import { closeSync, readSync, write as writeSome } from "node:fs";
import { systemErrorCode } from "../../system/errors.ts";

/** The longest pause before the next write to a full descriptor that another process made non-blocking. */
const LONGEST_PAUSE_MS = 16;

/** Writes in another thread, so that the descriptor stays blocking for others. @returns the code of the system's error */
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

/** @param descriptor non-blocking or readable @returns 0 at the end, or on an error: a pseudo-terminal ends by one */
export function readNow(descriptor: number, buffer: Uint8Array): number | "nothing" {
  try {
    return readSync(descriptor, buffer);
  } catch (error) {
    return systemErrorCode(error) === "EAGAIN" ? "nothing" : 0;
  }
}

export function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch {
    // It is closed already.
  }
}
