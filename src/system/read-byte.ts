import { readSync } from "node:fs";
import { systemErrorCode } from "./errors.ts";
import { sleep } from "./sleep.ts";

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
      sleep(10);
    }
  }
}
