import { readSync } from "node:fs";
import { systemErrorCode } from "./errors.ts";
import { sleep } from "./sleep.ts";

/** The longest line that a terminal hands over at once has 4,096 bytes. */
const MOST_BYTES = 65_536;
const LINE_FEED = 0x0a;

/**
 * Returns one line of the standard input without its end. Waits for as long as the user types; Ctrl-C ends the program as
 * it always does.
 *
 * @returns undefined at the end of the input, or if it cannot be read
 */
export function readLine(): string | undefined {
  const bytes: number[] = [];
  while (bytes.length < MOST_BYTES) {
    const byte = readByte();
    if (byte === undefined || (byte === "end" && bytes.length === 0)) return undefined;
    if (byte === "end") return Buffer.from(bytes).toString("utf8");
    if (byte === LINE_FEED) return Buffer.from(bytes).toString("utf8").replace(/\r$/, "");
    bytes.push(byte);
  }
  return undefined;
}

const buffer = new Uint8Array(1);

/** Waits for the next byte of the standard input. @returns "end" at its end, undefined if it cannot be read */
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
