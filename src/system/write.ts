import { writeSync } from "node:fs";
import { systemErrorCode } from "./errors.ts";
import { sleep } from "./sleep.ts";

/**
 * Writes the whole text to a descriptor at once, not by `process.stdout` and `process.stderr`: these leave O_NONBLOCK on
 * descriptors that the program inherits. What cannot be written is dropped: a closed standard error must not keep a
 * program from starting.
 *
 * @returns the code of the system's error, such as `ENOSPC`, if not everything was written
 */
export function write(descriptor: 1 | 2, text: string): string | undefined {
  const bytes = Buffer.from(text, "utf8");
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      // Another process made the pipe non-blocking, and it is full: waits a millisecond for its reader.
      if (systemErrorCode(error) !== "EAGAIN") return systemErrorCode(error) ?? "UNKNOWN";
      sleep(1);
    }
  }
  return undefined;
}
