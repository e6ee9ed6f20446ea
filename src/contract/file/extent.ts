/** The limit for files that an unnamed contract extends. Loaded only if a contract extends a file. */
import { realpathSync } from "node:fs";
import { sep } from "node:path";
import { attempt } from "../../system/errors.ts";
import { parentOf } from "../../system/paths.ts";
import { repositoryOf } from "../../system/repository.ts";

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
