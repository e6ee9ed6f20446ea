import { readByte } from "./read-byte.ts";

/** The longest line that a terminal hands over at once has 4,096 bytes. */
const MOST_BYTES = 65_536;

/**
 * One line of the standard input, without its end: what somebody typed at a terminal. It waits for as long as they do, and
 * Ctrl-C ends the program as it always does.
 *
 * @returns undefined at the end of the input, or where it cannot be read
 */
export function readLine(): string | undefined {
  const bytes: number[] = [];
  while (bytes.length < MOST_BYTES) {
    const byte = readByte();
    if (byte === undefined) return undefined;
    if (byte === "end") return bytes.length === 0 ? undefined : Buffer.from(bytes).toString("utf8");
    if (byte === 0x0a) return Buffer.from(bytes).toString("utf8").replace(/\r$/, "");
    bytes.push(byte);
  }
  return undefined;
}
