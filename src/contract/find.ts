import { existsSync, lstatSync } from "node:fs";
import { isMissing } from "../system/addon/addon.ts";
import { parentOf, within } from "../system/paths.ts";
import { CONTRACT_FILE_NAME } from "./file-name.ts";

export interface ContractSearch {
  readonly path: string | undefined;
}

/**
 * Searches for a contract from a folder upwards, to the root of the repository (the folder that holds `.git`), or outside
 * of a repository to the root of the file system. A file that must not be read, such as another user's in /tmp or a broken
 * symlink, ends the search too: reading it fails, and a contract from further up might require less.
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
    // The folder may not be searched, or is no longer a folder.
    return false;
  }
}
