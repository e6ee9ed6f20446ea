import { writeSync } from "node:fs";
import { systemErrorCode } from "./errors.ts";
import { sleep } from "./sleep.ts";

/**
 * Writes the whole text to a descriptor at once, not by `process.stdout` and `process.stderr`: these leave
 * O_NONBLOCK on descriptors that the program is to inherit. Whatever cannot be written is dropped: a closed
 * standard error must not keep a program from starting.
 *
 * @returns the code of the system's error, such as `ENOSPC`, where not everything was written
 */
export function write(descriptor: 1 | 2, text: string): string | undefined {
  const bytes = Buffer.from(text, "utf8");
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      // Another process made the pipe non-blocking, and it is full: waits a millisecond for its reader.
      if (systemErrorCode(error) === "EAGAIN") {
        sleep(1);
        continue;
      }
      return systemErrorCode(error) ?? "UNKNOWN";
    }
  }
  return undefined;
}
