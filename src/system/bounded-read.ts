/**
 * Reads files with limits on size and time. `readFound` is for a file that a search finds, and `readNamed` for one that the
 * user names, which may also be a pipe.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats, statSync } from "node:fs";

/** The device number of `/dev/null` on Linux: major 1, minor 3. */
const LINUX_NULL_DEVICE = 0x103;
/** Opening must not wait for the writer of a pipe, nor make a terminal the controlling one. Windows has neither flag. */
// oxlint-disable-next-line typescript/no-unnecessary-condition -- see above
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/**
 * The codes of errors that are not the system's. `systemErrorCode` returns them, too.
 *
 * `NOT_A_FILE`: a device or a socket. `NOT_REGULAR`: not a regular file, where only those are read. `NO_END`: a pipe that
 * did not end in time. `NOT_ACCEPTED`: `accept` returned false. `REPLACED`: another process replaced the file again and
 * again.
 */
type RefusalCode = "NOT_A_FILE" | "NOT_REGULAR" | "TOO_LARGE" | "NO_END" | "NOT_ACCEPTED" | "REPLACED";

/** Returns an error with one of these codes. */
export function readRefusal(code: RefusalCode): Error {
  return Object.assign(new Error(code), { code });
}

export interface ReadOptions {
  readonly maxBytes: number;
  /** Called with the status of the open file before it is read. If it returns false, the file is not read. */
  readonly accept?: (stats: Stats) => boolean;
}

/**
 * Reads a file that sophia-run found by search, not one that the user named: a regular file, or a symbolic link to one. Nothing else is opened, since a pipe
 * may have no writer, and opening has effects on some devices. `/dev/null` is read as an empty file: users put it in the
 * place of files to hide them.
 *
 * @param options `follows`: if false, a link at the end of the path is an error (ELOOP), except on Windows
 * @throws the system's error, or one whose code is a {@link RefusalCode}
 */
export function readFound(
  path: string | Buffer,
  { maxBytes, follows = true, accept = () => true }: ReadOptions & { readonly follows?: boolean },
): Buffer {
  const status = follows ? statSync(path) : lstatSync(path);
  if (isNullDevice(status)) return Buffer.alloc(0);
  // Reading a folder, and opening a link that is not followed, fail below with the system's own codes.
  const mayBeOpened = status.isFile() || status.isDirectory() || status.isSymbolicLink();
  if (!mayBeOpened) throw readRefusal("NOT_REGULAR");
  const { descriptor, stats } = openToRead(path, follows);
  try {
    // Another process may have replaced the file since the first check.
    if (!stats.isFile()) throw readRefusal("NOT_REGULAR");
    if (!accept(stats)) throw readRefusal("NOT_ACCEPTED");
    return readOpenFile(descriptor, stats.size, maxBytes);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads a file that the user names: a regular file, or a pipe to its end. The pipe may be `<(command)` of a shell, or a
 * named pipe whose writer comes later. `/dev/null` is an empty file. Pipes that are read one after another have one time limit
 * together (pipe.ts), unless the caller sets one.
 * @throws the system's error, or one whose code is a {@link RefusalCode}
 */
export async function readNamed(
  path: string,
  { maxBytes, pipeWaitMs, accept = () => true }: ReadOptions & { readonly pipeWaitMs?: number },
): Promise<Buffer> {
  const { descriptor, stats } = openToRead(path, true);
  try {
    if (isNullDevice(stats)) return Buffer.alloc(0);
    if (!stats.isFIFO() && !stats.isFile()) throw readRefusal("NOT_A_FILE");
    if (!accept(stats)) throw readRefusal("NOT_ACCEPTED");
    if (!stats.isFIFO()) return readOpenFile(descriptor, stats.size, maxBytes);
    const read = await (await import("./pipe.ts")).readPipe(descriptor, path, maxBytes, pipeWaitMs);
    if (typeof read === "string") throw readRefusal(read);
    return read;
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a file. The caller must close the descriptor. @throws the system's error, also for a folder (EISDIR) */
function openToRead(path: string | Buffer, follows: boolean): { readonly descriptor: number; readonly stats: Stats } {
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- Windows has none
  const descriptor = openSync(path, follows ? FLAGS : FLAGS | (constants.O_NOFOLLOW ?? 0));
  try {
    const stats = fstatSync(descriptor);
    // A folder can be opened. Reading from it fails with the system's own code.
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

/** Reads an open file to its end. The size is only a hint: files of /proc have the size 0, and a file may grow meanwhile. */
export function readOpenFile(descriptor: number, size: number, maxBytes: number): Buffer {
  if (size > maxBytes) throw readRefusal("TOO_LARGE");
  // With one byte more than the size, the second read finds the end of the file, and the buffer need not grow.
  let buffer = Buffer.allocUnsafe(size + 1);
  let length = 0;
  for (;;) {
    const bytes = readSync(descriptor, buffer, length, buffer.length - length, null);
    length += bytes;
    if (length > maxBytes) throw readRefusal("TOO_LARGE");
    if (bytes === 0) return buffer.subarray(0, length);
    if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * length, maxBytes) + 1);
  }
}
