import { readSync } from "node:fs";
import { systemErrorCode } from "./errors.ts";

const buffer = new Uint8Array(1);

/**
 * The next byte of the standard input; waits for as long as there is none.
 *
 * @returns "end" at the end of the input, undefined where it cannot be read
 */
export function readByte(): number | "end" | undefined {
  for (;;) {
    try {
      return readSync(0, buffer) === 0 ? "end" : buffer[0];
    } catch (error) {
      if (systemErrorCode(error) !== "EAGAIN") return undefined;
      // Another process made the terminal non-blocking.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
