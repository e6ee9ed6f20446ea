/**
 * A repository can hold symbolic links of folders, such as `.devcontainer -> ../..`, and the kernel follows them. So a command
 * looks at each folder of a path before it writes a file there.
 */
import { existsSync, lstatSync, realpathSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { parentOf } from "../system/paths.ts";

/** Returns the nearest folder from `start` upwards that holds `.git`, else `start` itself. */
export function projectRoot(start: string): string {
  for (let folder = start; ; folder = parentOf(folder)) {
    if (existsSync(join(folder, ".git"))) return folder;
    if (parentOf(folder) === folder) return start;
  }
}

/**
 * Returns the first folder of a path that is a symbolic link out of the project or to nothing, relative to the root. The user
 * named a path that is not below the root, with its links.
 *
 * @param path an absolute one of a file
 */
export function linkOutOf(root: string, path: string): string | undefined {
  const names = stepsFrom(root, path);
  if (names === undefined) return undefined;
  let folder = root;
  for (const name of names.slice(0, -1)) {
    folder = join(folder, name);
    const entry = lstatSync(folder, { throwIfNoEntry: false });
    // The folders from here on are created, as folders.
    if (entry === undefined) return undefined;
    if (entry.isSymbolicLink() && !leadsInto(root, folder)) return relative(root, folder);
  }
  return undefined;
}

function leadsInto(root: string, link: string): boolean {
  try {
    return stepsFrom(realpathSync(root), realpathSync(link)) !== undefined;
  } catch {
    // A link to nothing: the folder would be created where it points.
    return false;
  }
}

/** Returns the names from a folder down to a path; undefined if the path is not below it. */
function stepsFrom(folder: string, path: string): readonly string[] | undefined {
  const way = relative(folder, path);
  return way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way) ? undefined : way.split(sep);
}
