/** Reads files that the user names or a search finds, with limits on size and time. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";

/** Milliseconds until a pipe must have ended. */
const PIPE_WAIT_MS = 5000;
const LINUX_NULL_DEVICE = 0x103;

/**
 * Error codes for `systemErrorCode`: a device or socket, too large, a pipe without a timely end, not accepted, replaced by another
 * process again and again.
 */
type RefusalCode = "NOT_A_FILE" | "TOO_LARGE" | "NO_END" | "NOT_ACCEPTED" | "REPLACED";

/** Makes an error with one of these codes. */
export function refusal(code: RefusalCode): Error {
  return Object.assign(new Error(code), { code });
}

export interface ReadOptions {
  readonly maxBytes: number;
  readonly pipeWaitMs?: number;
  /** False if a link at the end of the path is an error (ELOOP). Windows follows it. */
  readonly follows?: boolean;
  /** Checks the open file before it is read. */
  readonly accept?: (stats: Stats) => boolean;
}

/**
 * Reads a regular file, or a pipe to its end: `<(command)` of a shell, or a named pipe whose writer may come later.
 * `/dev/null` is an empty file. @throws the system's error, or one whose code is a {@link RefusalCode}
 */
export async function readBounded(
  path: string | Buffer,
  { maxBytes, pipeWaitMs = PIPE_WAIT_MS, follows = true, accept = () => true }: ReadOptions,
): Promise<Buffer> {
  // Without O_NONBLOCK a named pipe would wait for its writer beyond the limit.
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- Windows has neither
  const flags = (constants.O_NONBLOCK ?? 0) | (follows ? 0 : (constants.O_NOFOLLOW ?? 0));
  const descriptor = openSync(path, constants.O_RDONLY | flags);
  try {
    const stats = fstatSync(descriptor);
    if (stats.isCharacterDevice() && stats.rdev === LINUX_NULL_DEVICE) return Buffer.alloc(0);
    // Fails with the system's own code, EISDIR.
    if (stats.isDirectory()) readSync(descriptor, Buffer.alloc(1), 0, 1, null);
    if (!stats.isFIFO() && !stats.isFile()) throw refusal("NOT_A_FILE");
    if (!accept(stats)) throw refusal("NOT_ACCEPTED");
    if (!stats.isFIFO()) return readFile(descriptor, stats.size, maxBytes);
    const read = await (await import("./pipe.ts")).readPipe(descriptor, path, maxBytes, pipeWaitMs);
    if (typeof read === "string") throw refusal(read);
    return read;
  } finally {
    closeSync(descriptor);
  }
}

/** Reads an open file to its end. The size is a hint: files of /proc have 0, and a file may grow while it is read. */
export function readFile(descriptor: number, size: number, maxBytes: number): Buffer {
  if (size > maxBytes) throw refusal("TOO_LARGE");
  let buffer = Buffer.allocUnsafe(size + 1);
  let length = 0;
  for (;;) {
    const bytes = readSync(descriptor, buffer, length, buffer.length - length, null);
    length += bytes;
    if (length > maxBytes) throw refusal("TOO_LARGE");
    if (bytes === 0) return buffer.subarray(0, length);
    if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * length, maxBytes) + 1);
  }
}
