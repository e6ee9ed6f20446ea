/**
 * Finds repositories by the folders that version control systems make, such as `.git`. A repository is a limit of trust: files
 * in it come from its authors, and must not lead sophia-run to files outside.
 */
import { existsSync } from "node:fs";
import { sep } from "node:path";
import { attempt } from "./errors.ts";
import { parentOf, within } from "./paths.ts";
import { realPath } from "./real-path.ts";

const GIT_FOLDER = ".git";
const JUJUTSU_FOLDER = ".jj";
/**
 * The folders of systems that sophia-run cannot ask which files they track: Mercurial, Jujutsu, Sapling, Subversion, Breezy,
 * Pijul, Darcs.
 */
const OTHER_FOLDERS = [".hg", JUJUTSU_FOLDER, ".sl", ".svn", ".bzr", ".pijul", "_darcs"];

/** Returns the nearest folder that contains `.git`, from `start` upwards; undefined if there is none. */
export function findGitRepository(start: string): string | undefined {
  return findUpwards(start, (folder) => existsSync(within(folder, GIT_FOLDER)));
}

/** Returns the nearest folder that is a repository of any system, from `start` upwards; undefined if there is none. */
export function findRepository(start: string, exists: (path: string) => boolean = existsSync): string | undefined {
  return findUpwards(start, (folder) => [GIT_FOLDER, ...OTHER_FOLDERS].some((name) => exists(within(folder, name))));
}

/**
 * Returns true if a folder may be in a repository of a system other than git. Even a clone of Mercurial's may come with a
 * `.git`. Jujutsu may share its folder with git, whose index then knows what is tracked.
 */
export function isInOtherRepository(start: string): boolean {
  const isOfOtherSystem = (folder: string): boolean =>
    OTHER_FOLDERS.some((name) => {
      const sharesWithGit = (): boolean => name === JUJUTSU_FOLDER && existsSync(within(folder, GIT_FOLDER));
      return existsSync(within(folder, name)) && !sharesWithGit();
    });
  return findUpwards(start, isOfOtherSystem) !== undefined;
}

function findUpwards(start: string, matches: (folder: string) => boolean): string | undefined {
  for (let folder = start; ; folder = parentOf(folder)) {
    if (matches(folder)) return folder;
    if (parentOf(folder) === folder) return undefined;
  }
}

/** Returns the repository in which a contract is; outside of any repository, the contract's folder. */
export function findRepositoryOrFolder(contract: string): { readonly folder: string; readonly isRepository: boolean } {
  const contractFolder = parentOf(contract);
  const repository = findRepository(contractFolder);
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
  const repository = findRepository(otherFolder);
  return isAtOrBelow(realFile, repository ?? otherFolder) && findRepository(parentOf(realFile)) === repository;
}

/**
 * Returns true if a file is in a folder after symbolic links are followed. If the file cannot be reached, only its absolute
 * path decides, so that the result does not reveal which files exist outside.
 */
export function isInside(path: string, folder: string): boolean {
  const isNamedInside = isAtOrBelow(path, folder);
  const resolvedPath = attempt(() => realPath(path));
  const resolvedFolder = attempt(() => realPath(folder));
  if (resolvedPath === undefined || resolvedFolder === undefined) return isNamedInside;
  return isAtOrBelow(resolvedPath, resolvedFolder);
}

/** Returns true for the folder itself, and for what is below it. */
export function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
