/**
 * Finds the root of a project, and symbolic links that lead out of it. A repository may contain a link such as
 * `.devcontainer -> ../..`, through which a command would write outside of the project. `project-files.ts` refuses that.
 */
import { lstatSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { realPath } from "../../system/real-path.ts";
import { findGitRepository } from "../../system/repository.ts";

/** Returns the nearest folder that contains `.git`, from `start` upwards; `start` itself if there is none. */
export function findProjectRoot(start: string): string {
  return findGitRepository(start) ?? start;
}

/**
 * Finds the first folder on an absolute path that is a symbolic link out of the project, or a broken one. Paths outside of the root
 * are not checked, because only the user can have named them.
 *
 * @returns the path of the link, relative to the root; undefined if there is no such link
 */
export function findOutwardLink(root: string, path: string): string | undefined {
  const names = listNamesBetween(root, path);
  if (names === undefined) return undefined;
  const folderNames = names.slice(0, -1);
  let folder = root;
  for (const name of folderNames) {
    folder = join(folder, name);
    const entry = lstatSync(folder, { throwIfNoEntry: false });
    // This folder and the folders below it do not exist yet, so that none of them is a link.
    if (entry === undefined) return undefined;
    if (entry.isSymbolicLink() && !leadsIntoRoot(root, folder)) return relative(root, folder);
  }
  return undefined;
}

/** Returns true if the target of a link is inside of the root. */
function leadsIntoRoot(root: string, link: string): boolean {
  try {
    return listNamesBetween(realPath(root), realPath(link)) !== undefined;
  } catch {
    // The link is broken. A write would create the folder at the link's target.
    return false;
  }
}

/** Returns the names of the folders and the file from a folder down to a path; undefined if the path is not below the folder. */
function listNamesBetween(folder: string, path: string): readonly string[] | undefined {
  const relativePath = relative(folder, path);
  const isOutside = relativePath === ".." || relativePath.startsWith(`..${sep}`) || isAbsolute(relativePath);
  return isOutside ? undefined : relativePath.split(sep);
}
