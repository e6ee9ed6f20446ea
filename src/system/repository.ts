/** Repositories, by the folders that version control systems make. */
import { existsSync } from "node:fs";
import { sep } from "node:path";
import { attempt } from "./errors.ts";
import { parentOf, within } from "./paths.ts";
import { realPath } from "./real-path.ts";

const GIT = ".git";
const JUJUTSU = ".jj";
/** The folders of systems that sophia-run does not ask: Mercurial, Jujutsu, Sapling, Subversion, Breezy, Pijul, Darcs. */
const OTHERS = [".hg", JUJUTSU, ".sl", ".svn", ".bzr", ".pijul", "_darcs"];

/** Returns the nearest folder from `start` upwards that contains `.git`; undefined if none does. */
export function repositoryOf(start: string): string | undefined {
  return nearest(start, (folder) => existsSync(within(folder, GIT)));
}

/** Returns the nearest folder from `start` upwards that is the repository of any system; undefined if none is. */
export function anyRepositoryOf(start: string, isThere: (path: string) => boolean = existsSync): string | undefined {
  return nearest(start, (folder) => [GIT, ...OTHERS].some((name) => isThere(within(folder, name))));
}

/**
 * Returns true if the file of a folder may be in a repository of another system than git: in a clone of Mercurial's even a
 * `.git` may come with it. Jujutsu may share a folder with git, whose index then has what it tracks.
 */
export function isOfOtherSystem(start: string): boolean {
  const isOther = (folder: string): boolean =>
    OTHERS.some((name) => existsSync(within(folder, name)) && !(name === JUJUTSU && existsSync(within(folder, GIT))));
  return nearest(start, isOther) !== undefined;
}

function nearest(start: string, isIt: (folder: string) => boolean): string | undefined {
  for (let folder = start; ; folder = parentOf(folder)) {
    if (isIt(folder)) return folder;
    if (parentOf(folder) === folder) return undefined;
  }
}

/** Returns the repository of a contract, or its own folder outside of a repository. */
export function extentOf(contract: string): { readonly folder: string; readonly isRepository: boolean } {
  const own = parentOf(contract);
  const repository = anyRepositoryOf(own);
  return { folder: repository ?? own, isRepository: repository !== undefined };
}

/** Returns true if a file is in the repository of another one, or in its folder or below where there is none. */
export function sharesRepository(file: string, other: string): boolean {
  const [real, start] = [attempt(() => realPath(file)), attempt(() => realPath(parentOf(other)))];
  if (real === undefined || start === undefined) return false;
  const repository = anyRepositoryOf(start);
  return isBelow(real, repository ?? start) && anyRepositoryOf(parentOf(real)) === repository;
}

/**
 * Returns true if a file is in a folder after symbolic links are followed. If it cannot be reached, only its absolute
 * path decides, so that the user does not learn which files exist outside.
 */
export function isInside(path: string, folder: string): boolean {
  const isNamedInside = isBelow(path, folder);
  const [real, realFolder] = [path, folder].map((one) => attempt(() => realPath(one)));
  return real === undefined || realFolder === undefined ? isNamedInside : isBelow(real, realFolder);
}

/** Returns true for the folder itself, and for what is below it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
