import { existsSync } from "node:fs";
import { isMissing } from "../system/addon/addon.ts";
import { isThere, parentOf, within } from "../system/paths.ts";

export const CONTRACT_FILE_NAME = "sophia.contract.json";

/** The outcome of `findContract`, for callers that have searched already. */
export interface ContractSearch {
  readonly path: string | undefined;
}

/**
 * Searches upwards to the root of the repository (with `.git`), or else of the file system. A file that must not be
 * read, such as another user's in /tmp, ends the search too: a contract further up might require less.
 */
export function findContract(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = parentOf(folder)) {
    const path = within(folder, CONTRACT_FILE_NAME);
    if (!isMissing(path) && isThere(path)) return path;
    const git = within(folder, ".git");
    if ((!isMissing(git) && existsSync(git)) || parentOf(folder) === folder) return undefined;
  }
}
