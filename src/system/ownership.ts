/** Rules for a file that the user did not name: who owns it, and who may write it. */
import { accessSync, constants, lstatSync, statSync, type Stats } from "node:fs";
import { systemErrorCode } from "./errors.ts";
import { EVERYBODY_READS, EVERYBODY_WRITES } from "./permissions.ts";

/**
 * Why a file that was found does not count: its owner is neither the user nor root nor the owner of the working directory,
 * or everybody may write the file, or put a file into its folder.
 */
export type Distrust =
  | { readonly kind: "owner"; readonly uid: number }
  | { readonly kind: "file" }
  | { readonly kind: "folder"; readonly folder: string };

/**
 * Returns why a file that was found by search does not count; undefined if it does. If everybody may write the working
 * directory, too, the file system knows no better: there the owner decides, that of a symbolic link included. Windows has
 * no such owners.
 *
 * @param found the path at which it was found, in `folder`
 * @param file what the opened descriptor says of it
 */
export function distrustOf(found: string, file: Stats, folder: string, cwd: string): Distrust | undefined {
  const user = process.geteuid?.();
  if (user === undefined) return undefined;
  let own: Stats | undefined;
  const here = (): Stats | undefined => (own ??= statSync(cwd, { throwIfNoEntry: false }));
  const isTrusted = ({ uid }: Stats): boolean => uid === user || uid === 0 || uid === here()?.uid;
  const isOpen = (stats: Stats | undefined): boolean => ((stats?.mode ?? 0) & EVERYBODY_WRITES) !== 0;
  if (!isTrusted(file)) return { kind: "owner", uid: file.uid };
  if (isOpen(file) && !isOpen(here())) return { kind: "file" };
  if (!isOpen(folder === cwd ? here() : statSync(folder, { throwIfNoEntry: false }))) return undefined;
  if (!isOpen(here())) return { kind: "folder", folder };
  const entry = lstatSync(found, { throwIfNoEntry: false });
  if (entry?.isSymbolicLink() === true) return isTrusted(entry) ? undefined : { kind: "owner", uid: entry.uid };
  // Another process exchanges the file at this moment.
  return entry?.ino === file.ino && entry.dev === file.dev ? undefined : { kind: "folder", folder };
}

/**
 * True of a world-readable file that its user could keep to themselves: not of a file of another user, nor on a file
 * system that is read-only, as secrets are mounted in containers. Windows has no such permissions.
 *
 * @param file what the opened descriptor says of it
 */
export function isExposed(path: string, file: Stats): boolean {
  const user = process.geteuid?.();
  if (user === undefined || !file.isFile() || (file.mode & EVERYBODY_READS) === 0) return false;
  return (file.uid === user || user === 0) && isOnWritable(path);
}

function isOnWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    return systemErrorCode(error) !== "EROFS";
  }
}
