/** Checks the folders of a path before a write: a repository may contain links, such as `.devcontainer -> ../..`. */
import { lstatSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { realPath } from "../../system/real-path.ts";
import { repositoryOf } from "../../system/repository.ts";

/** Returns the nearest folder from `start` upwards that contains `.git`, else `start`. */
export function projectRoot(start: string): string {
  return repositoryOf(start) ?? start;
}

/**
 * Returns the first folder of an absolute path, relative to the root, that is a link out of the project or a broken one.
 * Paths outside of the root are not checked: the user named them.
 */
export function linkOutOf(root: string, path: string): string | undefined {
  const names = stepsFrom(root, path);
  if (names === undefined) return undefined;
  let folder = root;
  for (const name of names.slice(0, -1)) {
    folder = join(folder, name);
    const entry = lstatSync(folder, { throwIfNoEntry: false });
    // This folder and those below it are yet to be created.
    if (entry === undefined) return undefined;
    if (entry.isSymbolicLink() && !leadsInto(root, folder)) return relative(root, folder);
  }
  return undefined;
}

function leadsInto(root: string, link: string): boolean {
  try {
    return stepsFrom(realPath(root), realPath(link)) !== undefined;
  } catch {
    // A broken link: the folder would be created at its target.
    return false;
  }
}

/** Returns the names from a folder down to a path; undefined if the path is not below it. */
function stepsFrom(folder: string, path: string): readonly string[] | undefined {
  const way = relative(folder, path);
  return way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way) ? undefined : way.split(sep);
}
