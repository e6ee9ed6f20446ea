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
  readSync,
  renameSync,
  rmSync,
  type Stats,
  writeSync,
} from "node:fs";
import { systemErrorCode } from "../../system/errors.ts";
import { makeFolder } from "../../system/folders.ts";
import { parentOf, within } from "../../system/paths.ts";
import { FOR_OTHERS } from "../../system/permissions.ts";
import { type FolderProblem, inPrivateFolder, type PrivateFolder } from "../../system/private-folder.ts";

/** More than the largest answer of ESC that is read. */
const MAX_BYTES = 33_554_432;
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
/** What was begun before and is not done will not be: its process was killed. */
const STALE_MS = 60_000;
const TEMPORARY = ".tmp";
/** The most tokens whose entries for the same environments are kept: tokens are replaced, and no start tells of it. */
const MOST_TOKENS = 4;

/** Why a file of the cache is not used. */
export type Unusable =
  /** There is none, and nothing is wrong. */
  | { readonly kind: "absent" }
  /** There is something else in its place: a link, a file of another user's or for others, what is far too large. */
  | { readonly kind: "not-private"; readonly path: string }
  | FolderProblem;

/** The bytes of a file that only this user may read and write. */
export function readPrivate(path: string): Buffer | Unusable {
  return inPrivateFolder(parentOf(path), (folder) => {
    let descriptor: number | undefined;
    try {
      // oxlint-disable-next-line typescript/no-unnecessary-condition -- Windows has neither
      const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
      descriptor = openSync(within(folder.path, nameIn(path)), flags);
      const stats = fstatSync(descriptor);
      if (!stats.isFile() || !isPrivate(stats) || stats.size > MAX_BYTES) return { kind: "not-private", path };
      return readAll(descriptor, stats.size);
    } catch (error) {
      const code = systemErrorCode(error) ?? "UNKNOWN";
      if (code === "ENOENT") return { kind: "absent" };
      return code === "ELOOP" ? { kind: "not-private", path } : { kind: "system", path, code };
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  });
}

/**
 * Puts a file in the place of the one that is there, at once: whoever reads meanwhile, and whoever comes after a crash,
 * finds the one or the other. A link in its place is replaced, not followed.
 *
 * @param unique a name that nobody can guess
 * @returns why it could not be done
 */
export function writePrivate(path: string, bytes: Uint8Array, unique: string): Unusable | undefined {
  try {
    makeFolder(parentOf(path), PRIVATE_FOLDER);
    return inPrivateFolder(parentOf(path), (folder) => {
      const final = within(folder.path, nameIn(path));
      const temporary = `${final}.${unique}${TEMPORARY}`;
      try {
        create(temporary, bytes);
        renameSync(temporary, final);
      } catch (error) {
        removeQuietly(temporary);
        throw error;
      }
      sync(folder);
      removeStale(folder.path);
      return undefined;
    });
  } catch (error) {
    return { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" };
  }
}

/** @returns why it is still there */
export function removePrivate(path: string): Unusable | undefined {
  try {
    const removed = inPrivateFolder(parentOf(path), (folder) => {
      rmSync(within(folder.path, nameIn(path)), { force: true });
    });
    // What is not the user's own was never used.
    return removed?.kind === "system" ? removed : undefined;
  } catch (error) {
    return { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" };
  }
}

/** The last name of a path: by node:path on Windows alone, whose functions take long to compile. */
function nameIn(path: string): string {
  if (process.platform === "win32") return process.getBuiltinModule("node:path").basename(path);
  return path.slice(path.lastIndexOf("/") + 1);
}

function create(path: string, bytes: Uint8Array): void {
  // oxlint-disable-next-line typescript/no-unnecessary-condition -- Windows has no O_NOFOLLOW
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
  const descriptor = openSync(path, flags, PRIVATE_FILE);
  try {
    // Whatever the caller's umask takes away.
    fchmodSync(descriptor, PRIVATE_FILE);
    for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
    // Else a crash of the machine could leave the new name with nothing in it.
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** So that the new name survives a crash of the machine, too. Not all systems can. */
function sync({ descriptor }: PrivateFolder): void {
  try {
    if (descriptor !== undefined) fsyncSync(descriptor);
  } catch {
    // The old file, if anything: it is whole.
  }
}

function removeStale(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(TEMPORARY)) continue;
    const path = within(folder, name);
    const begun = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (Date.now() - begun > STALE_MS) removeQuietly(path);
  }
}

/**
 * Removes the entries for the same environments of those tokens that were used the longest ago: among them are tokens
 * that were deleted.
 *
 * @param path of the entry that was just written; names of entries for the same environments begin alike up to a dash
 */
export function removeOldest(path: string): void {
  inPrivateFolder(parentOf(path), (folder) => removeBut(MOST_TOKENS, folder.path, nameIn(path)));
}

function removeBut(most: number, folder: string, written: string): void {
  const ofSame = `${written.slice(0, written.lastIndexOf("-"))}-`;
  const entries = readdirSync(folder).filter((name) => name.startsWith(ofSame) && !name.endsWith(TEMPORARY));
  if (entries.length <= most) return;
  const dated = entries.map((name) => {
    const path = within(folder, name);
    return { path, at: name === written ? Infinity : (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) };
  });
  for (const { path } of dated.toSorted((one, other) => other.at - one.at).slice(most)) removeQuietly(path);
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
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & FOR_OTHERS) === 0);
}

function readAll(descriptor: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let length = 0;
  while (length < size) {
    const read = readSync(descriptor, bytes, length, size - length, null);
    if (read === 0) break;
    length += read;
  }
  return bytes.subarray(0, length);
}
