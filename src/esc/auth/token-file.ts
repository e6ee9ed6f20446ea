import { systemErrorCode } from "../../system/errors.ts";
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from "node:fs";
import { EscFault } from "../faults/fault.ts";
import type { Deadline } from "../transport/deadline.ts";

/** No token is longer; a wrong file may be endless. */
const MAX_BYTES = 64 * 1024;
const POLL_MS = 10;

/**
 * The content of a file with a token. A pipe is read to its end: that of a shell's `<(command)`, or a named one whose
 * writer may come later. No read blocks: the process could not end before it, whatever the deadline.
 *
 * @param variable what names the file
 * @throws the system's error
 * @throws EscFault for a file that is too large, and when the deadline comes first
 */
export async function readTokenFile(variable: string, path: string, deadline: Deadline): Promise<string> {
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    // A pipe without a name ends once. A named one also reads as ended while it has no writer yet.
    const mayBegin = fstatSync(file).isFIFO() && !isAnonymous(path);
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const bytes = readAvailable(file, buffer, length);
      if (bytes === 0 && !(mayBegin && length === 0)) return buffer.toString("utf8", 0, length);
      if (bytes === undefined || bytes === 0) await deadline.sleep(POLL_MS, `reading ${variable}`);
      else length += bytes;
    }
    throw new EscFault({ kind: "file", variable, path, code: "too large" });
  } finally {
    closeSync(file);
  }
}

/** The number of bytes read, 0 at the end, `undefined` when there are none at the moment. */
function readAvailable(file: number, buffer: Buffer, offset: number): number | undefined {
  try {
    return readSync(file, buffer, offset, buffer.length - offset, null);
  } catch (error) {
    if (systemErrorCode(error) === "EAGAIN") return undefined;
    throw error;
  }
}

/** Whether a path such as `/dev/fd/63` leads to a pipe that has no name. */
function isAnonymous(path: string): boolean {
  try {
    return readlinkSync(path).startsWith("pipe:");
  } catch {
    return false;
  }
}
