/**
 * Decides whether a file that sophia-run has found by search, such as `.env`, is trusted: by its owner, and by who may write
 * it. Also finds out whether other users can read a file with secrets.
 */
import { accessSync, constants, lstatSync, statSync, type Stats } from "node:fs";
import { systemErrorCode } from "./errors.ts";

/** The bits of the mode of a file or folder (stat(2)). */
export const WORLD_READABLE = 0o004;
export const WORLD_WRITABLE = 0o002;
/** All users can enter such a folder. */
export const WORLD_SEARCHABLE = 0o001;
/** All permissions of the group and of other users. */
export const GROUP_OR_WORLD = 0o077;
/** The permission of the group, and of other users, to write. */
export const GROUP_OR_WORLD_WRITABLE = 0o022;
/** Only the owner of a file can rename or remove it in such a folder. */
export const STICKY = 0o1000;

/**
 * The reason why a file is not trusted. `owner`: it belongs to neither the user nor root nor the owner of the project's folder.
 * `file`, `folder`: the file, or the folder in which it is, is world-writable.
 */
export type Distrust =
  | { readonly kind: "owner"; readonly uid: number }
  | { readonly kind: "file" }
  | { readonly kind: "folder"; readonly folder: string };

/**
 * Returns why a file that was found by search is not trusted; undefined if it is trusted. On Windows every file is trusted.
 *
 * If the project's folder itself is world-writable, its file system may have no permissions (WSL). Then only the owner
 * decides, and for a symbolic link its own owner, too.
 *
 * @param folder the folder in which the file was found @param project the project's folder
 */
export function findDistrust(path: string, file: Stats, folder: string, project: string): Distrust | undefined {
  const user = process.geteuid?.();
  if (user === undefined) return undefined;
  // The project's folder is examined only if it decides, and at most once.
  let projectStats: Stats | undefined;
  const statProject = (): Stats | undefined => (projectStats ??= statSync(project, { throwIfNoEntry: false }));
  const isTrustedOwner = ({ uid }: Stats): boolean => uid === user || uid === 0 || uid === statProject()?.uid;
  if (!isTrustedOwner(file)) return { kind: "owner", uid: file.uid };
  if (hasWorldWritableMode(file) && !hasWorldWritableMode(statProject())) return { kind: "file" };
  const folderStats = folder === project ? statProject() : statSync(folder, { throwIfNoEntry: false });
  if (!hasWorldWritableMode(folderStats)) return undefined;
  if (!hasWorldWritableMode(statProject())) return { kind: "folder", folder };
  // Both folders are world-writable: any user may have put a link there, or replaced the file.
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry?.isSymbolicLink() === true) return isTrustedOwner(entry) ? undefined : { kind: "owner", uid: entry.uid };
  // The inode or device numbers differ if another process replaces the file at this moment.
  return entry?.ino === file.ino && entry.dev === file.dev ? undefined : { kind: "folder", folder };
}

function hasWorldWritableMode(stats: Stats | undefined): boolean {
  return ((stats?.mode ?? 0) & WORLD_WRITABLE) !== 0;
}

/**
 * Returns true for a world-readable file that the user could make private. The user cannot change another user's file, nor
 * one on a read-only file system, from which containers mount secrets. Windows has no such permissions.
 */
export function isExposed(path: string, file: Stats): boolean {
  const user = process.geteuid?.();
  if (user === undefined || !file.isFile() || (file.mode & WORLD_READABLE) === 0) return false;
  return (file.uid === user || user === 0) && isOnWritableFileSystem(path);
}

/** Returns true for a folder in which every user could put a file. */
export function isWorldWritable(folder: Stats, path: string): boolean {
  return (folder.mode & WORLD_WRITABLE) !== 0 && isOnWritableFileSystem(path);
}

/** Returns true unless the file system is read-only (EROFS). That this user may not write there (EACCES) does not matter. */
function isOnWritableFileSystem(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    return systemErrorCode(error) !== "EROFS";
  }
}
