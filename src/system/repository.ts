/**
 * Finds repositories by the folders that version control systems make, such as `.git`. A repository is a limit of trust: files
 * in it come from its authors, and must not lead sophia-run to files outside.
 */
import { existsSync } from "node:fs";
import { sep } from "node:path";
import { attempt } from "./errors.ts";
import { parentOf, within } from "./paths.ts";
import { realPath } from "./real-path.ts";

const GIT = ".git";
const JUJUTSU = ".jj";
/** The folders of systems that sophia-run cannot ask: Mercurial, Jujutsu, Sapling, Subversion, Breezy, Pijul, Darcs. */
const OTHERS = [".hg", JUJUTSU, ".sl", ".svn", ".bzr", ".pijul", "_darcs"];

/** Returns the nearest folder that contains `.git`, from `start` upwards; undefined if there is none. */
export function repositoryOf(start: string): string | undefined {
  return findUpwards(start, (folder) => existsSync(within(folder, GIT)));
}

/** Returns the nearest folder that is a repository of any system, from `start` upwards; undefined if there is none. */
export function anyRepositoryOf(start: string, isThere: (path: string) => boolean = existsSync): string | undefined {
  return findUpwards(start, (folder) => [GIT, ...OTHERS].some((name) => isThere(within(folder, name))));
}

/**
 * Returns true if a folder may be in a repository of a system other than git. Even a clone of Mercurial's may come with a
 * `.git`. Jujutsu may share its folder with git, whose index then knows what is tracked.
 */
export function isInOtherRepository(start: string): boolean {
  const isOther = (folder: string): boolean =>
    OTHERS.some((name) => existsSync(within(folder, name)) && !(name === JUJUTSU && existsSync(within(folder, GIT))));
  return findUpwards(start, isOther) !== undefined;
}

function findUpwards(start: string, matches: (folder: string) => boolean): string | undefined {
  for (let folder = start; ; folder = parentOf(folder)) {
    if (matches(folder)) return folder;
    if (parentOf(folder) === folder) return undefined;
  }
}

/** Returns the repository in which a contract is; outside of any repository, the contract's folder. */
export function repositoryOrFolderOf(contract: string): { readonly folder: string; readonly isRepository: boolean } {
  const contractFolder = parentOf(contract);
  const repository = anyRepositoryOf(contractFolder);
  return { folder: repository ?? contractFolder, isRepository: repository !== undefined };
}

/**
 * Returns true if a file is in the repository of another file; outside of any repository, if it is in that file's folder or
 * below.
 */
export function sharesRepository(file: string, otherFile: string): boolean {
  const realFile = attempt(() => realPath(file));
  const otherFolder = attempt(() => realPath(parentOf(otherFile)));
  if (realFile === undefined || otherFolder === undefined) return false;
  const repository = anyRepositoryOf(otherFolder);
  return isBelow(realFile, repository ?? otherFolder) && anyRepositoryOf(parentOf(realFile)) === repository;
}

/**
 * Returns true if a file is in a folder after symbolic links are followed. If the file cannot be reached, only its absolute
 * path decides, so that the result does not reveal which files exist outside.
 */
export function isInside(path: string, folder: string): boolean {
  const isNamedInside = isBelow(path, folder);
  const [real, realFolder] = [path, folder].map((name) => attempt(() => realPath(name)));
  return real === undefined || realFolder === undefined ? isNamedInside : isBelow(real, realFolder);
}

/** Returns true for the folder itself, and for what is below it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
