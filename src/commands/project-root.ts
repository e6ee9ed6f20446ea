/**
 * A repository can hold symbolic links of folders, `.devcontainer -> ../..` for one. A command that writes a file below its
 * working directory follows them, as the kernel does, so it looks at each folder of the path before it creates anything.
 */
import { existsSync, lstatSync, realpathSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { parentOf } from "../system/paths.ts";

/** Returns the folder of the project: the nearest one from `start` upwards that holds `.git`, else `start` itself. */
export function projectRoot(start: string): string {
  for (let folder = start; ; folder = parentOf(folder)) {
    if (existsSync(join(folder, ".git"))) return folder;
    if (parentOf(folder) === folder) return start;
  }
}

/**
 * Returns the first folder of a path that is a symbolic link out of the project or to nothing, relative to the root. A path
 * that is not below the root was named by the user, with its links.
 *
 * @param path that of a file, absolute
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

/** The names from a folder down to a path; undefined if the path is not below it. */
function stepsFrom(folder: string, path: string): readonly string[] | undefined {
  const way = relative(folder, path);
  return way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way) ? undefined : way.split(sep);
}
