/** Reads files with limits on size and time: those that the user names, and those that a search finds. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats, statSync } from "node:fs";

/** Milliseconds until all pipes that are read one after another must have ended. */
const PIPE_WAIT_MS = 5000;
/** Milliseconds without a pipe, after which the next one begins another limit: a process with --watch reads again. */
const PIPE_GAP_MS = 1000;
/** Milliseconds that are left for further pipes, and the uptime in seconds at which the last one was read. */
const pipeWait = { leftMs: PIPE_WAIT_MS, readAt: Number.NEGATIVE_INFINITY };
const LINUX_NULL_DEVICE = 0x103;
/** Neither waits for the writer of a pipe, nor makes a terminal that of this session. Windows has neither. */
// oxlint-disable-next-line typescript/no-unnecessary-condition -- see above
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/**
/**
 * Error codes for `systemErrorCode`: a device or socket; no regular file, where only such are read; too large; a pipe without
 * a timely end; not accepted; replaced by another process again and again.
 */
type RefusalCode = "NOT_A_FILE" | "NOT_REGULAR" | "TOO_LARGE" | "NO_END" | "NOT_ACCEPTED" | "REPLACED";

/** Makes an error with one of these codes. */
export function refusal(code: RefusalCode): Error {
  return Object.assign(new Error(code), { code });
}

export interface ReadOptions {
  readonly maxBytes: number;
  /** Checks the open file before it is read. */
  readonly accept?: (stats: Stats) => boolean;
}

/**
 * Reads a file that was found, not named by the user: a regular one, or a link to one. Nothing else is opened, since a pipe
 * may have no writer and the opening has effects on some devices. `/dev/null` is an empty file: it is put in the place of
 * others to hide them.
 *
 * @param options `follows`: false if a link at the end of the path is an error (ELOOP). Windows follows it.
 * @throws the system's error, or one whose code is a {@link RefusalCode}
 */
export function readFound(
  path: string | Buffer,
  { maxBytes, follows = true, accept = () => true }: ReadOptions & { readonly follows?: boolean },
): Buffer {
  const found = follows ? statSync(path) : lstatSync(path);
  if (isNullDevice(found)) return Buffer.alloc(0);
  // The reading of a folder, and the opening of a link that is not followed, fail with the system's own codes.
  if (!found.isFile() && !found.isDirectory() && !found.isSymbolicLink()) throw refusal("NOT_REGULAR");
  const { descriptor, stats } = openToRead(path, follows);
  try {
    // Another process may have replaced it.
    if (!stats.isFile()) throw refusal("NOT_REGULAR");
    if (!accept(stats)) throw refusal("NOT_ACCEPTED");
    return readFile(descriptor, stats.size, maxBytes);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads a file that the user names: a regular one, or a pipe to its end: `<(command)` of a shell, or a named pipe whose writer
 * may come later. `/dev/null` is an empty file. Pipes that are read one after another have one limit of five seconds together,
 * unless the caller has one of its own. @throws the system's error, or one whose code is a {@link RefusalCode}
 */
export async function readNamed(
  path: string,
  { maxBytes, pipeWaitMs, accept = () => true }: ReadOptions & { readonly pipeWaitMs?: number },
): Promise<Buffer> {
  const { descriptor, stats } = openToRead(path, true);
  try {
    if (isNullDevice(stats)) return Buffer.alloc(0);
    if (!stats.isFIFO() && !stats.isFile()) throw refusal("NOT_A_FILE");
    if (!accept(stats)) throw refusal("NOT_ACCEPTED");
    if (!stats.isFIFO()) return readFile(descriptor, stats.size, maxBytes);
    const { readPipe } = await import("./pipe.ts");
    const begin = process.uptime();
    if (begin - pipeWait.readAt > PIPE_GAP_MS / 1000) pipeWait.leftMs = PIPE_WAIT_MS;
    const read = await readPipe(descriptor, path, maxBytes, pipeWaitMs ?? pipeWait.leftMs);
    pipeWait.readAt = process.uptime();
    if (pipeWaitMs === undefined) pipeWait.leftMs = Math.max(0, pipeWait.leftMs - (pipeWait.readAt - begin) * 1000);
    if (typeof read === "string") throw refusal(read);
    return read;
  } finally {
    closeSync(descriptor);
  }
}

/** @throws the system's error, also for a folder (EISDIR) */
function openToRead(path: string | Buffer, follows: boolean): { readonly descriptor: number; readonly stats: Stats } {
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- Windows has none
  const descriptor = openSync(path, follows ? FLAGS : FLAGS | (constants.O_NOFOLLOW ?? 0));
  try {
    const stats = fstatSync(descriptor);
    // Fails with the system's own code.
    if (stats.isDirectory()) readSync(descriptor, Buffer.alloc(1), 0, 1, null);
    return { descriptor, stats };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Returns true for `/dev/null` (Linux). */
export function isNullDevice(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === LINUX_NULL_DEVICE;
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
