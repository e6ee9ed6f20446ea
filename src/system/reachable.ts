import { lstatSync, statSync } from "node:fs";
import { parentOf } from "./paths.ts";
import { WORLD_SEARCHABLE } from "./ownership.ts";

/**
 * Returns true if other users can reach a file: they may enter all folders above its absolute path. A link may lead
 * elsewhere, so that it counts as reachable.
 */
export function isReachable(path: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) return true;
  for (let folder = path; folder !== parentOf(folder);) {
    folder = parentOf(folder);
    const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? WORLD_SEARCHABLE;
    if ((mode & WORLD_SEARCHABLE) === 0) return false;
  }
  return true;
}
