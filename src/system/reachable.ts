/** Finds out whether other users can reach a file, for warnings about files with secrets. */
import { lstatSync, statSync } from "node:fs";
import { parentOf } from "./paths.ts";
import { WORLD_SEARCHABLE } from "./ownership.ts";

/**
 * Returns true if other users can reach a file, since they may enter all folders above its absolute path. Also returns true
 * for a symbolic link, because the folders above its target are not checked.
 */
export function isReachableByOthers(path: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) return true;
  for (let folder = path; folder !== parentOf(folder);) {
    folder = parentOf(folder);
    const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? WORLD_SEARCHABLE;
    if ((mode & WORLD_SEARCHABLE) === 0) return false;
  }
  return true;
}
