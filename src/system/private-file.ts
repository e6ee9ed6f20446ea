/** Reads and writes files that no other user may replace: the cache of answers of ESC, and the user's settings and consents. */
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
import { makePrivateFolder } from "./folders.ts";
import { parentOf, within } from "./paths.ts";
import { GROUP_OR_WORLD } from "./ownership.ts";
import { type FolderFault, type PrivateFolder, withPrivateFolder } from "./private-folder.ts";

const FILE_MODE = 0o600;
/** Ends the name of a file that is not complete yet. A process that is killed leaves such a file. */
const TEMPORARY_SUFFIX = ".tmp";
/** Opening must neither follow a link nor wait for the writer of a pipe. Windows has neither flag. */
// oxlint-disable-next-line typescript/no-unnecessary-condition -- Windows has neither
const SAFE_FLAGS = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** The reason why a file is not used. `not-private`: it is a link, belongs to another user, or is too large. */
export type UnusableFile = { readonly kind: "not-private"; readonly path: string } | FolderFault;

interface PrivateFileLimits {
  readonly maxBytes: number;
  /** The permissions that neither the file nor its folder may have; by default all of the group and of other users. */
  readonly forbiddenMode?: number;
}

/**
 * Opens the private folder of a file, calls `use` with a path of the file that no other user can redirect, and closes the
 * folder. @returns the result of `use`, or why the file is not used
 */
export function withFileInPrivateFolder<Result>(
  path: string,
  use: (file: string, folder: PrivateFolder) => Result,
  forbiddenMode?: number,
): Result | UnusableFile {
  const useFile = (folder: PrivateFolder): Result => use(within(folder.path, fileNameOf(path)), folder);
  try {
    return withPrivateFolder(parentOf(path), useFile, forbiddenMode);
  } catch (error) {
    return { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" };
  }
}

/** Makes the folder of a private file, if it is missing. @returns the reason why that is impossible */
export function makeParentFolder(path: string): UnusableFile | undefined {
  try {
    makePrivateFolder(parentOf(path));
    return undefined;
  } catch (error) {
    return { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" };
  }
}

/** Reads a file that has none of the permissions in `forbiddenMode`. By default only this user may read and write it. */
export function readPrivate(
  path: string,
  { maxBytes, forbiddenMode = GROUP_OR_WORLD }: PrivateFileLimits,
): Buffer | UnusableFile {
  const readFile = (file: string): Buffer | UnusableFile => {
    const descriptor = openSync(file, constants.O_RDONLY | SAFE_FLAGS);
    try {
      const stats = fstatSync(descriptor);
      const isUsable = stats.isFile() && isPrivate(stats, forbiddenMode) && stats.size <= maxBytes;
      return isUsable ? readOpenFile(descriptor, stats.size, maxBytes) : { kind: "not-private", path };
    } finally {
      closeSync(descriptor);
    }
  };
  const bytesOrFault = withFileInPrivateFolder(path, readFile, forbiddenMode);
  if (Buffer.isBuffer(bytesOrFault) || bytesOrFault.kind !== "system") return bytesOrFault;
  if (bytesOrFault.code === "ENOENT") return { kind: "absent" };
  // ELOOP: the file is a link, which is not followed.
  return bytesOrFault.code === "ELOOP" ? { kind: "not-private", path } : bytesOrFault;
}

/**
 * Replaces a file atomically: another process, even after a crash, finds either the old or the new file. A link in its place is
 * replaced, not followed. Then removes unfinished files that killed processes have left.
 *
 * @param uniqueName a name that no other user can guess
 * @param cleanUpFolder called with the folder once the file is written
 */
export function writePrivate(
  path: string,
  bytes: Uint8Array,
  uniqueName: string,
  {
    forbiddenMode,
    cleanUpFolder,
  }: Pick<PrivateFileLimits, "forbiddenMode"> & { readonly cleanUpFolder?: (folder: string) => void } = {},
): UnusableFile | undefined {
  const fault = makeParentFolder(path);
  if (fault !== undefined) return fault;
  const write = (file: string, folder: PrivateFolder): undefined => {
    const temporary = `${file}.${uniqueName}${TEMPORARY_SUFFIX}`;
    try {
      createPrivateFile(temporary, bytes);
      renameSync(temporary, file);
    } catch (error) {
      removeQuietly(temporary);
      throw error;
    }
    syncFolder(folder);
    removeUnfinished(folder.path);
    cleanUpFolder?.(folder.path);
  };
  return withFileInPrivateFolder(path, write, forbiddenMode);
}

/** Removes a file. @returns the reason if it still exists */
export function removePrivate(path: string): UnusableFile | undefined {
  const fault = withFileInPrivateFolder(path, (file) => rmSync(file, { force: true }));
  return fault?.kind === "system" ? fault : undefined;
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

/** An older unfinished file was left by a process that was killed. */
const MAX_UNFINISHED_AGE_MS = 60_000;

function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(TEMPORARY_SUFFIX)) continue;
    const path = within(folder, name);
    const modifiedAt = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const isAbandoned = Date.now() - modifiedAt > MAX_UNFINISHED_AGE_MS;
    // The removal is recursive, because file-lock.ts makes unfinished folders.
    if (isAbandoned) attempt(() => rmSync(path, { force: true, recursive: true }));
  }
}

/** Removes a file that is no longer needed. An error is ignored, because the file does no harm if it stays. */
export function removeQuietly(path: string): undefined {
  try {
    rmSync(path, { force: true });
  } catch {
    // The file stays.
  }
}

/** Returns true if no other user has a forbidden permission; always on Windows, which has neither such owners nor modes. */
function isPrivate({ uid, mode }: Stats, forbiddenMode: number): boolean {
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & forbiddenMode) === 0);
}
