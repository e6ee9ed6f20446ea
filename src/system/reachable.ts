import { lstatSync, statSync } from "node:fs";
import { parentOf } from "./paths.ts";
import { EVERYBODY_ENTERS } from "./permissions.ts";

/**
 * True if other users can enter all folders above a file. A link says nothing of the folders above the file itself, and
 * counts as a file that they reach.
 *
 * @param path absolute, without `.` and `..`
 */
export function isReachable(path: string): boolean {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) return true;
  for (let folder = path; folder !== parentOf(folder);) {
    folder = parentOf(folder);
    const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? EVERYBODY_ENTERS;
    if ((mode & EVERYBODY_ENTERS) === 0) return false;
  }
  return true;
}
