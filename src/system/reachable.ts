import { lstatSync, statSync } from "node:fs";
import { parentOf } from "./paths.ts";
import { WORLD_SEARCHABLE } from "./ownership.ts";

/** Returns true if other users can enter all folders above an absolute path, or if it is a link and leads elsewhere. */
export function isReachable(path: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) return true;
  for (let folder = path; folder !== parentOf(folder);) {
    folder = parentOf(folder);
    const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? WORLD_SEARCHABLE;
    if ((mode & WORLD_SEARCHABLE) === 0) return false;
  }
  return true;
}
