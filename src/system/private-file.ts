/** Reads and writes files that no other user may replace: the cache, and the user's own settings. */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { readOpenFile } from "./bounded-read.ts";
import { attempt, systemErrorCode } from "./errors.ts";
import { makeFolder } from "./folders.ts";
import { parentOf, within } from "./paths.ts";
import { GROUP_OR_WORLD } from "./ownership.ts";
import { type FolderProblem, inPrivateFolder, type PrivateFolder } from "./private-folder.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const TEMPORARY = ".tmp";
/** Opening must neither follow a link nor wait for the writer of a pipe. Windows has neither flag. */
// oxlint-disable-next-line typescript/no-unnecessary-condition -- Windows has neither
const SAFE_FLAGS = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** The reason why a file is not used. `not-private`: it is a link, belongs to another user, or is too large. */
export type UnusableFile = { readonly kind: "not-private"; readonly path: string } | FolderProblem;

interface PrivateFileLimits {
  readonly maxBytes: number;
  /** The permissions that neither the file nor its folder may have; by default all of the group and of other users. */
  readonly forbidden?: number;
}

/** Calls `use` with the path of a file within its private folder. @returns its result, or why the file is not used */
export function withPrivateFolder<Result>(
  path: string,
  use: (file: string, folder: PrivateFolder) => Result,
  forbidden?: number,
): Result | UnusableFile {
  try {
    return inPrivateFolder(parentOf(path), (folder) => use(within(folder.path, fileNameOf(path)), folder), forbidden);
  } catch (error) {
    return { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" };
  }
}

/** Reads a file that has none of the `forbidden` permissions. By default only this user may read and write it. */
export function readPrivate(
  path: string,
  { maxBytes, forbidden = GROUP_OR_WORLD }: PrivateFileLimits,
): Buffer | UnusableFile {
  const readOpened = (file: string): Buffer | UnusableFile => {
    const descriptor = openSync(file, constants.O_RDONLY | SAFE_FLAGS);
    try {
      const stats = fstatSync(descriptor);
      const isUsable = stats.isFile() && isPrivate(stats, forbidden) && stats.size <= maxBytes;
      return isUsable ? readOpenFile(descriptor, stats.size, maxBytes) : { kind: "not-private", path };
    } finally {
      closeSync(descriptor);
    }
  };
  const read = withPrivateFolder(path, readOpened, forbidden);
  if (Buffer.isBuffer(read) || read.kind !== "system") return read;
  if (read.code === "ENOENT") return { kind: "absent" };
  // ELOOP: the file is a link, which is not followed.
  return read.code === "ELOOP" ? { kind: "not-private", path } : read;
}

/**
 * Replaces a file atomically: another process, even after a crash, finds either the old or the new file. A link in its place is
 * replaced, not followed. Then removes unfinished files that killed processes have left.
 *
 * @param unique a name that no other user can guess
 * @param tidy called with the folder once the file is written
 */
export function writePrivate(
  path: string,
  bytes: Uint8Array,
  unique: string,
  { forbidden, tidy }: Pick<PrivateFileLimits, "forbidden"> & { readonly tidy?: (folder: string) => void } = {},
): UnusableFile | undefined {
  try {
    makeFolder(parentOf(path), FOLDER_MODE);
  } catch (error) {
    return { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" };
  }
  const write = (file: string, folder: PrivateFolder): undefined => {
    const temporary = `${file}.${unique}${TEMPORARY}`;
    try {
      createPrivateFile(temporary, bytes);
      renameSync(temporary, file);
    } catch (error) {
      removeQuietly(temporary);
      throw error;
    }
    syncFolder(folder);
    removeUnfinished(folder.path);
    tidy?.(folder.path);
  };
  return withPrivateFolder(path, write, forbidden);
}

/** Removes a file. @returns the reason if it still exists */
export function removePrivate(path: string): UnusableFile | undefined {
  const removed = withPrivateFolder(path, (file) => rmSync(file, { force: true }));
  return removed?.kind === "system" ? removed : undefined;
}

/** Returns the last name of a path. node:path takes long to compile, and is loaded only on Windows. */
export function fileNameOf(path: string): string {
  if (process.platform === "win32") return process.getBuiltinModule("node:path").basename(path);
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Makes a file that must not exist yet, and that only this user may read. @throws the system's error */
function createPrivateFile(path: string, bytes: Uint8Array): undefined {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | SAFE_FLAGS;
  const descriptor = openSync(path, flags, FILE_MODE);
  try {
    // The caller's umask may have removed permissions of the user.
    fchmodSync(descriptor, FILE_MODE);
    writeFileSync(descriptor, bytes);
    // Without this call, a crash of the machine could leave an empty file under the new name.
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the new name survive a crash of the machine, on file systems that can. */
function syncFolder({ descriptor }: PrivateFolder): void {
  try {
    if (descriptor !== undefined) fsyncSync(descriptor);
  } catch {
    // After a crash there may still be the old file, which is complete.
  }
}

/** An unfinished file of this age was left by a process that was killed. */
const STALE_MS = 60_000;

function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(TEMPORARY)) continue;
    const path = within(folder, name);
    const isStale = Date.now() - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > STALE_MS;
    // Recursive, because locked.ts makes unfinished folders.
    if (isStale) attempt(() => rmSync(path, { force: true, recursive: true }));
  }
}

/** Removes a file that is of no use any more. It does no harm if that fails. */
export function removeQuietly(path: string): undefined {
  try {
    rmSync(path, { force: true });
  } catch {
    // See above.
  }
}

/** Returns true if no other user has a forbidden permission; always on Windows, which has neither such owners nor modes. */
function isPrivate({ uid, mode }: Stats, forbidden: number): boolean {
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & forbidden) === 0);
}
