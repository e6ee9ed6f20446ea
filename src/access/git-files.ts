/**
 * Pipes and devices in the place of files that git reads. Git opens these as they are, and waits for the writer of a pipe, which
 * may never come. A clone has none, but a folder from an archive may.
 */
import { type Dirent, readdirSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { isNullDevice, readFound } from "../system/bounded-read.ts";
import { attempt } from "../system/errors.ts";
import { within } from "../system/paths.ts";
import { repositoryOf } from "../system/repository.ts";

/** Files that git reads in its own folders, whatever it is asked. */
const AT_TOP = [
  ["HEAD", "config", "config.worktree", "index", "packed-refs", "commondir", "shallow"],
  ["info/exclude", "info/attributes", "info/sparse-checkout", "info/grafts"],
].flat();
/** Files that git reads in each folder of a working tree. */
const IN_TREE: ReadonlySet<string> = new Set([".gitignore", ".gitattributes", ".gitmodules"]);
/** The limit on entries that are looked at. */
const MOST_ENTRIES = 200_000;
const MOST_BYTES = 65_536;

/** Returns the first such file of those that git reads first, of the repository around `start`. It costs microseconds. */
export function irregularAtTop(start: string): string | undefined {
  return gitFolders(start)
    .flatMap((folder) => AT_TOP.map((name) => within(folder, name)))
    .find(isIrregular);
}

/** Returns the first such file anywhere below git's own folders, or of a working tree below `start`, within the limit. */
export function irregularBelow(start: string): string | undefined {
  const left = { entries: MOST_ENTRIES };
  for (const folder of gitFolders(start)) {
    const found = search(folder, () => true, left);
    if (found !== undefined) return found;
  }
  return search(start, ({ name }) => IN_TREE.has(name), left);
}

function search(start: string, isRead: (entry: Dirent) => boolean, left: { entries: number }): string | undefined {
  const pending = [start];
  for (let folder = pending.pop(); folder !== undefined && left.entries > 0; folder = pending.pop()) {
    const entries = entriesOf(folder);
    left.entries -= entries.length;
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

/** Returns git's folder of the repository around a folder, and the one that its work trees share. */
function gitFolders(start: string): readonly string[] {
  const repository = repositoryOf(start);
  if (repository === undefined) return [];
  const git = within(repository, ".git");
  // A submodule, and another work tree, have a file with the folder's path.
  const named = textOf(git)?.replace(/^gitdir: */, "");
  const folder = named === undefined ? git : resolve(repository, named);
  const common = textOf(within(folder, "commondir"));
  return common === undefined ? [folder] : [folder, resolve(folder, common)];
}

function textOf(path: string): string | undefined {
  return attempt(() => readFound(path, { maxBytes: MOST_BYTES }).toString().trimEnd());
}

function entriesOf(folder: string): readonly Dirent[] {
  return attempt(() => readdirSync(folder, { withFileTypes: true })) ?? [];
}

/**
 * Returns true for a pipe, a device or a link to one. Git opens no socket, and its own daemon has one there; the null device ends
 * at once, and people link to it.
 */
function isIrregular(path: string): boolean {
  const found = attempt(() => statSync(path));
  if (found === undefined || isNullDevice(found)) return false;
  return !found.isFile() && !found.isDirectory() && !found.isSocket();
}
