/** Files that no other user may replace: the cache, and the user's own settings. */
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
import { readFile } from "./bounded-read.ts";
import { systemErrorCode } from "./errors.ts";
import { makeFolder } from "./folders.ts";
import { parentOf, within } from "./paths.ts";
import { GROUP_OR_WORLD } from "./ownership.ts";
import { type FolderProblem, inPrivateFolder, type PrivateFolder } from "./private-folder.ts";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const TEMPORARY = ".tmp";
// oxlint-disable-next-line typescript/no-unnecessary-condition -- Windows has neither
const SAFELY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** A reason why a file is not used. `not-private`: a link, another user's file, or one that is too large. */
export type Unusable = { readonly kind: "not-private"; readonly path: string } | FolderProblem;

export interface Limits {
  readonly maxBytes: number;
  /** The permissions that neither file nor folder may have; by default all of the group and of other users. */
  readonly forbidden?: number;
}

/** Calls `use` with the path of a file in its private folder. @returns also the system's error */
export function inFolderOf<Result>(
  path: string,
  use: (file: string, folder: PrivateFolder) => Result,
  forbidden?: number,
): Result | Unusable {
  try {
    return inPrivateFolder(parentOf(path), (folder) => use(within(folder.path, nameIn(path)), folder), forbidden);
  } catch (error) {
    return { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" };
  }
}

/** Reads a file that only this user may read and write, or as `forbidden` says. */
export function readPrivate(path: string, { maxBytes, forbidden = GROUP_OR_WORLD }: Limits): Buffer | Unusable {
  const readOpened = (file: string): Buffer | Unusable => {
    const descriptor = openSync(file, constants.O_RDONLY | SAFELY);
    try {
      const stats = fstatSync(descriptor);
      const isUsable = stats.isFile() && isPrivate(stats, forbidden) && stats.size <= maxBytes;
      return isUsable ? readFile(descriptor, stats.size, maxBytes) : { kind: "not-private", path };
    } finally {
      closeSync(descriptor);
    }
  };
  const read = inFolderOf(path, readOpened, forbidden);
  if (Buffer.isBuffer(read) || read.kind !== "system") return read;
  if (read.code === "ENOENT") return { kind: "absent" };
  return read.code === "ELOOP" ? { kind: "not-private", path } : read;
}

/**
 * Replaces a file atomically: another process, and one after a crash, finds the old or the new one. A link in its place is
 * replaced, not followed. Then removes unfinished files of killed processes.
 *
 * @param unique a name that no other user can guess
 * @param tidy called with the folder once the file is written
 */
export function writePrivate(
  path: string,
  bytes: Uint8Array,
  unique: string,
  { forbidden, tidy }: Pick<Limits, "forbidden"> & { readonly tidy?: (folder: string) => void } = {},
): Unusable | undefined {
  try {
    makeFolder(parentOf(path), PRIVATE_FOLDER);
  } catch (error) {
    return { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" };
  }
  const write = (file: string, folder: PrivateFolder): undefined => {
    const temporary = `${file}.${unique}${TEMPORARY}`;
    try {
      create(temporary, bytes);
      renameSync(temporary, file);
    } catch (error) {
      removeQuietly(temporary);
      throw error;
    }
    sync(folder);
    removeUnfinished(folder.path);
    tidy?.(folder.path);
  };
  return inFolderOf(path, write, forbidden);
}

/** Removes a file. @returns the reason why it still exists */
export function removePrivate(path: string): Unusable | undefined {
  const removed = inFolderOf(path, (file) => rmSync(file, { force: true }));
  return removed?.kind === "system" ? removed : undefined;
}

/** Returns the last name of a path; node:path takes long to compile and is loaded only on Windows. */
export function nameIn(path: string): string {
  if (process.platform === "win32") return process.getBuiltinModule("node:path").basename(path);
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Makes a file that must not exist yet. */
export function create(path: string, bytes: Uint8Array): undefined {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | SAFELY, PRIVATE_FILE);
  try {
    // The caller's umask may have removed permissions.
    fchmodSync(descriptor, PRIVATE_FILE);
    writeFileSync(descriptor, bytes);
    // Else a crash of the machine could leave an empty file with the new name.
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the new name survive a crash of the machine. Not all systems can. */
function sync({ descriptor }: PrivateFolder): void {
  try {
    if (descriptor !== undefined) fsyncSync(descriptor);
  } catch {
    // The old file is complete.
  }
}

/** A process that started a file this long ago was killed. */
const STALE_MS = 60_000;

function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(TEMPORARY)) continue;
    const path = within(folder, name);
    if (Date.now() - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > STALE_MS) removeQuietly(path);
  }
}

/** Removes a file that is of no use any more. */
export function removeQuietly(path: string): undefined {
  try {
    rmSync(path, { force: true });
  } catch {
    // It does no harm.
  }
}

/** Always true on Windows, which has neither such owners nor modes. */
function isPrivate({ uid, mode }: Stats, forbidden: number): boolean {
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & forbidden) === 0);
}
