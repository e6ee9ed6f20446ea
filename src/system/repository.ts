import { existsSync, realpathSync } from "node:fs";
import { sep } from "node:path";
import { attempt } from "./errors.ts";
import { parentOf, within } from "./paths.ts";

/** Returns the nearest folder from `start` upwards that contains `.git`; undefined if none does. */
export function repositoryOf(start: string): string | undefined {
  for (let folder = start; ; folder = parentOf(folder)) {
    if (existsSync(within(folder, ".git"))) return folder;
    if (parentOf(folder) === folder) return undefined;
  }
}

/** Returns the repository of a contract (the folder with `.git`), or its own folder outside of a repository. */
export function extentOf(contract: string): { readonly folder: string; readonly isRepository: boolean } {
  const own = parentOf(contract);
  const repository = repositoryOf(own);
  return { folder: repository ?? own, isRepository: repository !== undefined };
}

/**
 * Returns true if a file is in a folder after symbolic links are followed. If it cannot be reached, only its absolute
 * path decides, so that the user does not learn which files exist outside.
 */
export function isInside(path: string, folder: string): boolean {
  const isNamedInside = isBelow(path, folder);
  const [real, realFolder] = [path, folder].map((one) => attempt(() => realpathSync(one)));
  return real === undefined || realFolder === undefined ? isNamedInside : isBelow(real, realFolder);
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
