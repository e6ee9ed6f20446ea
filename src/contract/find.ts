/** The one search of this program: for the contract, from the working directory upwards. */
import { existsSync, lstatSync } from "node:fs";
import { isMissing } from "../system/addon/addon.ts";
import { parentOf, within } from "../system/paths.ts";
import { CONTRACT_FILE_NAME } from "./file-name.ts";

/** Result of a search, which may have found nothing. */
export interface Found {
  readonly path: string | undefined;
}

/**
 * Looks for a contract from a folder upwards. The search ends at the folder that holds `.git`, the root of the
 * repository; outside of a repository (in a container image, for instance) at the root of the file system.
 *
 * What must not count is found as well, a file of somebody else in /tmp or a symlink that leads nowhere: reading it
 * fails, whereas a contract from further up, or the built-in one, might ask for less.
 */
export function findContract(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = parentOf(folder)) {
    const path = within(folder, CONTRACT_FILE_NAME);
    if (!isMissing(path) && isThere(path)) return path;
    const git = within(folder, ".git");
    if ((!isMissing(git) && existsSync(git)) || parentOf(folder) === folder) return undefined;
  }
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // No permission to search the folder, or it is not a folder any more.
    return false;
  }
}
