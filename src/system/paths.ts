/** Functions on paths that every start needs. Loading node:path would take 0.3 ms of each start on Node.js 24. */
import { lstatSync, statSync } from "node:fs";
import { attempt } from "./errors.ts";

/** Joins a folder and a name, as `join` of node:path does. */
export function within(folder: string, name: string): string {
  if (process.platform === "win32") return process.getBuiltinModule("node:path").join(folder, name);
  return `${folder.endsWith("/") ? folder : `${folder}/`}${name}`;
}

/** A path that leads to the working directory (Linux). It is used if that folder was deleted, or its path is not UTF-8. */
export const WORKING_DIRECTORY_LINK = "/proc/self/cwd";

/** Returns the folder that contains an absolute path; the root for the root. */
export function parentOf(path: string): string {
  const isWorkingDirectory =
    path.startsWith(WORKING_DIRECTORY_LINK) && /^(?:\/\.\.)*$/.test(path.slice(WORKING_DIRECTORY_LINK.length));
  if (isWorkingDirectory) return aboveWorkingDirectory(path);
  if (process.platform === "win32") return process.getBuiltinModule("node:path").dirname(path);
  return path.slice(0, Math.max(path.lastIndexOf("/"), 1));
}

/**
 * Returns the folder that contains the working directory, or a folder above it.
 *
 * @param path {@link WORKING_DIRECTORY_LINK}, with `/..` for each folder upwards
 */
function aboveWorkingDirectory(path: string): string {
  let folder = attempt(() => process.cwd()) ?? "/";
  const levels = (path.length - WORKING_DIRECTORY_LINK.length) / "/..".length + 1;
  for (let level = 0; level < levels; level++) folder = parentOf(folder);
  // U+FFFD stands for bytes that are not UTF-8. A name may also contain the character itself; then this path is right, too.
  return folder.includes("\uFFFD") ? `${path}/..` : folder;
}

/** Returns true for an entry of any kind, even a broken link; false if its folder cannot be searched, or is no folder. */
export function entryExists(path: string): boolean {
  return attempt(() => lstatSync(path, { throwIfNoEntry: false })) !== undefined;
}

/** Returns true if both paths lead to one existing folder. */
export function isSameFolder(path: string, otherPath: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  const otherStats = statSync(otherPath, { throwIfNoEntry: false });
  return stats !== undefined && stats.dev === otherStats?.dev && stats.ino === otherStats.ino;
}
