/** Functions that block this thread, and with it the event loop. */
import { writeSync } from "node:fs";
import { systemErrorCode } from "./errors.ts";

/** Blocks this thread for the given time. */
export function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * Writes all of the data, and waits until that is done. `process.stdout` and `process.stderr` would leave O_NONBLOCK on
 * descriptors that the program inherits. Does not throw, since a closed standard error must not keep a program from starting.
 *
 * @returns the code of the system's error; undefined if all of the data was written
 */
export function write(descriptor: 1 | 2, data: string | Uint8Array): string | undefined {
  const bytes = Buffer.from(data);
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      // EAGAIN: another process has made the pipe non-blocking, and the pipe is full.
      if (systemErrorCode(error) !== "EAGAIN") return systemErrorCode(error) ?? "UNKNOWN";
      sleep(1);
    }
  }
  return undefined;
}
