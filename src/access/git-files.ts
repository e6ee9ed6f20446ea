/**
 * Finds pipes and devices in place of files that git reads. Git opens any file, and waits for the writer of a pipe, who may
 * never come. A clone has none of them, but a folder from an archive may.
 */
import { type Dirent, readdirSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { isNullDevice, readFoundFile } from "../system/bounded-read.ts";
import { attempt } from "../system/errors.ts";
import { within } from "../system/paths.ts";
import { findGitRepository } from "../system/repository.ts";

/** The files that each command of git reads in the folder `.git`. */
const TOP_FILES = [
  ["HEAD", "config", "config.worktree", "index", "packed-refs", "commondir", "shallow"],
  ["info/exclude", "info/attributes", "info/sparse-checkout", "info/grafts"],
].flat();
/** The files that git reads in each folder of a working tree. */
const TREE_FILES: ReadonlySet<string> = new Set([".gitignore", ".gitattributes", ".gitmodules"]);
/** The limit on the number of directory entries in one search. */
const MAX_ENTRIES = 200_000;
/** The limit on the size of a file that names a folder. */
const MAX_POINTER_BYTES = 65_536;

/**
 * Finds a pipe or device among the files that each command of git reads, in the repository around `start`. Takes
 * microseconds.
 */
export function findIrregularTopFile(start: string): string | undefined {
  return findGitFolders(start)
    .flatMap((folder) => TOP_FILES.map((name) => within(folder, name)))
    .find(isIrregular);
}

/**
 * Finds a pipe or device anywhere below the folders `.git`, or among the files that git reads in the working tree below
 * `start`.
 */
export function findIrregularFileBelow(start: string): string | undefined {
  const budget = { entries: MAX_ENTRIES };
  for (const folder of findGitFolders(start)) {
    const path = searchFolder(folder, () => true, budget);
    if (path !== undefined) return path;
  }
  return searchFolder(start, ({ name }) => TREE_FILES.has(name), budget);
}

/**
 * Finds a pipe or device below a folder.
 *
 * @param isRead returns true for an entry that git reads
 * @param budget the number of entries that may still be looked at, from which this function subtracts
 */
function searchFolder(
  start: string,
  isRead: (entry: Dirent) => boolean,
  budget: { entries: number },
): string | undefined {
  const pending = [start];
  for (let folder = pending.pop(); folder !== undefined && budget.entries > 0; folder = pending.pop()) {
    const entries = readEntries(folder);
    budget.entries -= entries.length;
    for (const entry of entries) {
      if (entry.isDirectory()) {
        if (entry.name !== ".git") pending.push(within(folder, entry.name));
        continue;
      }
      const path = within(folder, entry.name);
      if (!entry.isFile() && isRead(entry) && isIrregular(path)) return path;
    }
  }
  return undefined;
}

/** Returns the folder of git for the repository around `start`, and the folder that its work trees share, if there is one. */
function findGitFolders(start: string): readonly string[] {
  const repository = findGitRepository(start);
  if (repository === undefined) return [];
  const git = within(repository, ".git");
  // In a submodule or a further work tree, `.git` is a file with the path of the folder: "gitdir: ../.git/modules/name".
  const folderName = readText(git)?.replace(/^gitdir: */, "");
  const folder = folderName === undefined ? git : resolve(repository, folderName);
  const sharedFolderName = readText(within(folder, "commondir"));
  return sharedFolderName === undefined ? [folder] : [folder, resolve(folder, sharedFolderName)];
}

/** Reads a short file. @returns undefined if it cannot be read, as if it is a folder */
function readText(path: string): string | undefined {
  return attempt(() => readFoundFile(path, { maxBytes: MAX_POINTER_BYTES }).toString().trimEnd());
}

function readEntries(folder: string): readonly Dirent[] {
  return attempt(() => readdirSync(folder, { withFileTypes: true })) ?? [];
}

/**
 * Returns true for a pipe, a device or a link to one. Returns false for sockets, which git cannot open and of which its own
 * daemon has one, and for the null device, which users put in place of files and which ends at once.
 */
function isIrregular(path: string): boolean {
  const stats = attempt(() => statSync(path));
  if (stats === undefined || isNullDevice(stats)) return false;
  return !stats.isFile() && !stats.isDirectory() && !stats.isSocket();
}
