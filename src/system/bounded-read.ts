/**
 * Reads files with limits on size and time. `readFoundFile` is for a file that sophia-run has found by search, such as `.env`.
 * `readNamedFile` is for a file that the user names, which may also be a pipe.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats, statSync } from "node:fs";

/** The device number of `/dev/null` on Linux: major 1, minor 3. */
const LINUX_NULL_DEVICE = 0x103;
/** Opening must not wait for the writer of a pipe, nor make a terminal the controlling one. Windows has neither flag. */
// oxlint-disable-next-line typescript/no-unnecessary-condition -- Windows lacks the flags
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/**
 * The reasons for which this code refuses a file. Errors have them in the property `code`, as they have the codes of the
 * system.
 *
 * `NOT_A_FILE`: neither a regular file nor a pipe. `NOT_REGULAR`: not a regular file, for functions that read no pipes.
 * `NO_END`: a pipe that did not end in time. `NOT_ACCEPTED`: `accept` returned false. `REPLACED`: another process replaced
 * the file during each attempt to read it.
 */
type RefusalCode = "NOT_A_FILE" | "NOT_REGULAR" | "TOO_LARGE" | "NO_END" | "NOT_ACCEPTED" | "REPLACED";

/** Returns the error to throw for a file that is refused. */
export function createReadRefusal(code: RefusalCode): Error {
  return Object.assign(new Error(code), { code });
}

export interface ReadOptions {
  readonly maxBytes: number;
  /** Called with the status and the descriptor of the open file before it is read. If it returns false, the file is not read. */
  readonly accept?: (stats: Stats, descriptor: number) => boolean;
}

/**
 * Reads a file that sophia-run has found by search: a regular file, or a symbolic link to one. Nothing else is opened, since a
 * pipe may have no writer, and opening has effects on some devices. `/dev/null` is read as an empty file, because users hide a
 * file by a link to it.
 *
 * @param options if `followsLink` is false, a symbolic link at the end of the path is an error (ELOOP), except on Windows
 * @throws the system's error, or one whose code is a {@link RefusalCode}
 */
export function readFoundFile(
  path: string | Buffer,
  { maxBytes, followsLink = true, accept = () => true }: ReadOptions & { readonly followsLink?: boolean },
): Buffer {
  const status = followsLink ? statSync(path) : lstatSync(path);
  if (isNullDevice(status)) return Buffer.alloc(0);
  // Folders and links go on, because openToRead fails for them with the code of the system (EISDIR, ELOOP).
  const mayBeOpened = status.isFile() || status.isDirectory() || status.isSymbolicLink();
  if (!mayBeOpened) throw createReadRefusal("NOT_REGULAR");
  const { descriptor, stats } = openToRead(path, followsLink);
  try {
    // Another process may have replaced the file since the first check.
    if (!stats.isFile()) throw createReadRefusal("NOT_REGULAR");
    if (!accept(stats, descriptor)) throw createReadRefusal("NOT_ACCEPTED");
    return readOpenFile(descriptor, stats.size, maxBytes);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads a file that the user names: a regular file, or a pipe to its end. The pipe may be `<(command)` of a shell, or a
 * named pipe that another process opens later. `/dev/null` is an empty file.
 *
 * @param options `pipeWaitMs` is the time limit for a pipe. By default, all pipes that are read one after another have one time
 *   limit together (pipe.ts)
 * @throws the system's error, or one whose code is a {@link RefusalCode}
 */
export async function readNamedFile(
  path: string,
  { maxBytes, pipeWaitMs, accept = () => true }: ReadOptions & { readonly pipeWaitMs?: number },
): Promise<Buffer> {
  const { descriptor, stats } = openToRead(path, true);
  try {
    if (isNullDevice(stats)) return Buffer.alloc(0);
    if (!stats.isFIFO() && !stats.isFile()) throw createReadRefusal("NOT_A_FILE");
    if (!accept(stats, descriptor)) throw createReadRefusal("NOT_ACCEPTED");
    if (!stats.isFIFO()) return readOpenFile(descriptor, stats.size, maxBytes);
    const { readPipe } = await import("./pipe.ts");
    const pipeContent = await readPipe(descriptor, path, maxBytes, pipeWaitMs);
    if (typeof pipeContent === "string") throw createReadRefusal(pipeContent);
    return pipeContent;
  } finally {
    closeSync(descriptor);
  }
}

/** Opens a file. The caller must close the descriptor. @throws the system's error, also for a folder (EISDIR) */
function openToRead(
  path: string | Buffer,
  followsLink: boolean,
): { readonly descriptor: number; readonly stats: Stats } {
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- Windows lacks the flag
  const descriptor = openSync(path, followsLink ? OPEN_FLAGS : OPEN_FLAGS | (constants.O_NOFOLLOW ?? 0));
  try {
    const stats = fstatSync(descriptor);
    // A folder can be opened. Reading from it throws the system's error EISDIR.
    if (stats.isDirectory()) readSync(descriptor, Buffer.alloc(1), 0, 1, null);
    return { descriptor, stats };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Returns true for `/dev/null` of Linux. On other systems no file is recognized as it. */
export function isNullDevice(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === LINUX_NULL_DEVICE;
}

/**
 * Reads an open file to its end.
 *
 * @param expectedBytes the size that fstat(2) reports. The file may have more bytes: files of /proc have the size 0, and
 *   another process may write to the file
 * @throws an error with the code TOO_LARGE
 */
export function readOpenFile(descriptor: number, expectedBytes: number, maxBytes: number): Buffer {
  if (expectedBytes > maxBytes) throw createReadRefusal("TOO_LARGE");
  // Because of the additional byte, the buffer is not full after the first read, and need not grow to find the end.
  let buffer = Buffer.allocUnsafe(expectedBytes + 1);
  let length = 0;
  for (;;) {
    const readBytes = readSync(descriptor, buffer, length, buffer.length - length, null);
    length += readBytes;
    if (length > maxBytes) throw createReadRefusal("TOO_LARGE");
    if (readBytes === 0) return buffer.subarray(0, length);
    if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * length, maxBytes) + 1);
  }
}
