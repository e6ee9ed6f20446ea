/** Trust rules for a file that was found by search: its owner, and the permission to write it. */
import { accessSync, constants, lstatSync, statSync, type Stats } from "node:fs";
import { systemErrorCode } from "./errors.ts";

/** Bits of the mode of a file or folder (stat(2)). */
export const WORLD_READABLE = 0o004;
export const WORLD_WRITABLE = 0o002;
/** All users can enter the folder. */
export const WORLD_SEARCHABLE = 0o001;
/** All permissions of the group and of other users. */
export const GROUP_OR_WORLD = 0o077;
/** The permission of the group, and of other users, to write. */
export const GROUP_OR_WORLD_WRITABLE = 0o022;
/** Only the owner of a file can rename or remove it in such a folder. */
export const STICKY = 0o1000;

/** `owner`: neither the user nor root nor the owner of the project's folder. Else file or folder are world-writable. */
export type Distrust =
  | { readonly kind: "owner"; readonly uid: number }
  | { readonly kind: "file" }
  | { readonly kind: "folder"; readonly folder: string };

/**
 * Returns why a file that was found by search is not trusted. If the project's folder is world-writable, too, the file
 * system may have no permissions (WSL): then only the owner counts, a symbolic link's included. Windows has no such owners.
 */
export function distrustOf(path: string, file: Stats, folder: string, project: string): Distrust | undefined {
  const user = process.geteuid?.();
  if (user === undefined) return undefined;
  let own: Stats | undefined;
  const here = (): Stats | undefined => (own ??= statSync(project, { throwIfNoEntry: false }));
  const isTrusted = ({ uid }: Stats): boolean => uid === user || uid === 0 || uid === here()?.uid;
  const isOpen = (stats: Stats | undefined): boolean => ((stats?.mode ?? 0) & WORLD_WRITABLE) !== 0;
  if (!isTrusted(file)) return { kind: "owner", uid: file.uid };
  if (isOpen(file) && !isOpen(here())) return { kind: "file" };
  if (!isOpen(folder === project ? here() : statSync(folder, { throwIfNoEntry: false }))) return undefined;
  if (!isOpen(here())) return { kind: "folder", folder };
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry?.isSymbolicLink() === true) return isTrusted(entry) ? undefined : { kind: "owner", uid: entry.uid };
  // Unequal if another process replaces the file at this moment.
  return entry?.ino === file.ino && entry.dev === file.dev ? undefined : { kind: "folder", folder };
}

/**
 * Returns true for a world-readable file that the user could make private: not for another user's file, nor on a read-only
 * file system, from which containers mount secrets. Windows has no such permissions.
 */
export function isExposed(path: string, file: Stats): boolean {
  const user = process.geteuid?.();
  if (user === undefined || !file.isFile() || (file.mode & WORLD_READABLE) === 0) return false;
  return (file.uid === user || user === 0) && isOnWritable(path);
}

/** Returns true for a folder in which every user could put a file. */
export function isWorldWritable(folder: Stats, path: string): boolean {
  return (folder.mode & WORLD_WRITABLE) !== 0 && isOnWritable(path);
}

function isOnWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    return systemErrorCode(error) !== "EROFS";
  }
}
