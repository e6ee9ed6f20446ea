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
import { GROUP_OR_WORLD } from "../../system/ownership.ts";
import { type FolderProblem, inPrivateFolder, type PrivateFolder } from "../../system/private-folder.ts";

/** More than the largest answer of ESC that is read. */
const MAX_BYTES = 33_554_432;
const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
/** A process that started a file this long ago was killed. */
const STALE_MS = 60_000;
const TEMPORARY = ".tmp";
/** The maximum number of tokens with entries for the same environments: no start knows that a token was replaced. */
const MOST_TOKENS = 4;
// oxlint-disable-next-line typescript/no-unnecessary-condition -- Windows has neither
const SAFELY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** A reason why a file of the cache is not used. `not-private`: a link, another user's file, or one that is too large. */
export type Unusable = { readonly kind: "not-private"; readonly path: string } | FolderProblem;

/** Calls `use` with the path of a file in its private folder. @returns also the system's error */
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
 * Replaces a file atomically: another process, and one after a crash, finds the old or the new one. A link in its place is
 * replaced, not followed. Then removes unneeded entries for the same environments, whose names agree up to a dash.
 * `unique`: a name that no other user can guess.
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

/** Removes a file. @returns the reason why it still exists */
export function removePrivate(path: string): Unusable | undefined {
  const removed = inFolderOf(path, (file) => rmSync(file, { force: true }));
  return removed?.kind === "system" ? removed : undefined;
}

/** Returns the last name of a path; node:path takes long to compile and is loaded only on Windows. */
function nameIn(path: string): string {
  if (process.platform === "win32") return process.getBuiltinModule("node:path").basename(path);
  return path.slice(path.lastIndexOf("/") + 1);
}

function create(path: string, bytes: Uint8Array): void {
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

/** Removes unfinished files of killed processes, and entries of the tokens that were not used for the longest time. */
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
    // The file is of no use without the token.
  }
}

/** Always true on Windows, which has neither such owners nor modes. */
function isPrivate({ uid, mode }: Stats): boolean {
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & GROUP_OR_WORLD) === 0);
}
