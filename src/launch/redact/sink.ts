import { write as writeSome } from "node:fs";
import { systemErrorCode } from "../../system/errors.ts";

/** The longest pause before writing again to what another process made non-blocking, and is full. */
const LONGEST_PAUSE_MS = 16;

/**
 * Writes all bytes to a descriptor, in another thread: the descriptor stays blocking, as its other users have it.
 *
 * @returns the code of the system's error, such as `EPIPE`, if not all was written
 */
export async function writeAll(descriptor: number, bytes: Uint8Array): Promise<string | undefined> {
  let pause = 1;
  for (let offset = 0; offset < bytes.length;) {
    const outcome = await attempt(descriptor, bytes, offset);
    if (typeof outcome === "number") {
      offset += outcome;
      pause = 1;
    } else if (outcome === "EAGAIN") {
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    } else {
      return outcome;
    }
  }
  return undefined;
}

/** @returns how many bytes were written, or the code of the error */
async function attempt(descriptor: number, bytes: Uint8Array, offset: number): Promise<number | string> {
  return new Promise((resolve) => {
    writeSome(descriptor, bytes, offset, bytes.length - offset, null, (error, written) => {
      resolve(error === null ? written : (systemErrorCode(error) ?? "UNKNOWN"));
    });
  });
}
