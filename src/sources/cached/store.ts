/** The files of the cache: private to the user, whole or not there, never written through a link. */
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
import { readFile } from "../../system/bounded-read.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { makeFolder } from "../../system/folders.ts";
import { parentOf, within } from "../../system/paths.ts";
import { GROUP_OR_WORLD } from "../../system/permissions.ts";
import { type FolderProblem, inPrivateFolder, type PrivateFolder } from "../../system/private-folder.ts";

/** More than the largest answer of ESC that is read. */
const MAX_BYTES = 33_554_432;
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
/** The process that began a file this long ago was killed. */
const STALE_MS = 60_000;
const TEMPORARY = ".tmp";
/** The most tokens whose entries for the same environments are kept: no start knows that a token was replaced. */
const MOST_TOKENS = 4;
// oxlint-disable-next-line typescript/no-unnecessary-condition -- Windows has neither
const SAFELY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Why a file of the cache is not used. */
export type Unusable =
  /** A link, a file of another user or for others, or one that is far too large is in its place. */
  { readonly kind: "not-private"; readonly path: string } | FolderProblem;

/** Does something with a file by a path in its private folder; the system's error is a result, too. */
function inFolderOf<Result>(path: string, use: (file: string, folder: PrivateFolder) => Result): Result | Unusable {
  try {
    return inPrivateFolder(parentOf(path), (folder) => use(within(folder.path, nameIn(path)), folder));
  } catch (error) {
    return { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" };
  }
}

/** Reads a file that only this user may read and write. */
export function readPrivate(path: string): Buffer | Unusable {
  const read = inFolderOf(path, (file) => {
    const descriptor = openSync(file, constants.O_RDONLY | SAFELY);
    try {
      const stats = fstatSync(descriptor);
      const isUsable = stats.isFile() && isPrivate(stats) && stats.size <= MAX_BYTES;
      return isUsable ? readFile(descriptor, stats.size, MAX_BYTES) : ({ kind: "not-private", path } as const);
    } finally {
      closeSync(descriptor);
    }
  });
  if (Buffer.isBuffer(read) || read.kind !== "system") return read;
  if (read.code === "ENOENT") return { kind: "absent" };
  return read.code === "ELOOP" ? { kind: "not-private", path } : read;
}

/**
 * Puts a file in the place of the one that is there, at once: another process, and one after a crash, finds the one or the
 * other. A link in its place is replaced, not followed. Then removes what is not needed any more.
 *
 * @param path names of entries for the same environments begin alike up to a dash
 * @param unique a name that no other user can guess
 * @returns why it could not be done
 */
export function writePrivate(path: string, bytes: Uint8Array, unique: string): Unusable | undefined {
  try {
    makeFolder(parentOf(path), PRIVATE_FOLDER);
  } catch (error) {
    return { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" };
  }
  return inFolderOf(path, (file, folder) => {
    const temporary = `${file}.${unique}${TEMPORARY}`;
    try {
      create(temporary, bytes);
      renameSync(temporary, file);
    } catch (error) {
      removeQuietly(temporary);
      throw error;
    }
    sync(folder);
    removeUnneeded(folder.path, nameIn(path));
    return undefined;
  });
}

/** @returns why it is still there */
export function removePrivate(path: string): Unusable | undefined {
  const removed = inFolderOf(path, (file) => rmSync(file, { force: true }));
  // What is not the user's own was never used.
  return removed?.kind === "system" ? removed : undefined;
}

/** The last name of a path; node:path, whose functions take long to compile, is loaded on Windows alone. */
function nameIn(path: string): string {
  if (process.platform === "win32") return process.getBuiltinModule("node:path").basename(path);
  return path.slice(path.lastIndexOf("/") + 1);
}

function create(path: string, bytes: Uint8Array): void {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | SAFELY, PRIVATE_FILE);
  try {
    // The caller's umask may have taken permissions away.
    fchmodSync(descriptor, PRIVATE_FILE);
    writeFileSync(descriptor, bytes);
    // Otherwise a crash of the machine could leave the new name with nothing in it.
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the new name survive a crash of the machine, too. Not all systems can. */
function sync({ descriptor }: PrivateFolder): void {
  try {
    if (descriptor !== undefined) fsyncSync(descriptor);
  } catch {
    // The old file, if anything: it is whole.
  }
}

/**
 * Removes files that were begun by processes that are gone, and the entries for the same environments of those tokens that
 * were used the longest ago: among them are tokens that were deleted.
 */
function removeUnneeded(folder: string, written: string): void {
  const ofSame = `${written.slice(0, written.lastIndexOf("-"))}-`;
  const names = readdirSync(folder).filter((name) => name.endsWith(TEMPORARY) || name.startsWith(ofSame));
  const dated = names.map((name) => {
    const path = within(folder, name);
    return { name, path, at: name === written ? Infinity : (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) };
  });
  const begun = dated.filter(({ name, at }) => name.endsWith(TEMPORARY) && Date.now() - at > STALE_MS);
  const same = dated.filter(({ name }) => name.startsWith(ofSame) && !name.endsWith(TEMPORARY));
  const oldest = same.toSorted((one, other) => other.at - one.at).slice(MOST_TOKENS);
  for (const { path } of [...begun, ...oldest]) removeQuietly(path);
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It holds nothing that opens without the token.
  }
}

/** Windows has neither owners of this kind nor modes. */
function isPrivate({ uid, mode }: Stats): boolean {
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & GROUP_OR_WORLD) === 0);
}
