/** The limit for files that an unnamed contract extends. Loaded only if a contract extends a file. */
import { existsSync, realpathSync } from "node:fs";
import { sep } from "node:path";
import { parentOf, within } from "../../system/paths.ts";

/** Returns the repository of a contract (the folder with `.git`), or its own folder outside of a repository. */
export function extentOf(contract: string): { readonly folder: string; readonly isRepository: boolean } {
  const own = parentOf(contract);
  for (let folder = own; ; folder = parentOf(folder)) {
    if (existsSync(within(folder, ".git"))) return { folder, isRepository: true };
    if (parentOf(folder) === folder) return { folder: own, isRepository: false };
  }
}

/**
 * Returns true if a file is in a folder after symbolic links are followed. If it cannot be reached, only its absolute
 * path decides, so that the user does not learn which files exist outside.
 */
export function isInside(path: string, folder: string): boolean {
  const isNamedInside = isBelow(path, folder);
  const [real, realFolder] = [realPath(path), realPath(folder)];
  return real === undefined || realFolder === undefined ? isNamedInside : isBelow(real, realFolder);
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
