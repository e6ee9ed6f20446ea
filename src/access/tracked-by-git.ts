/** Asks git whether a file belongs to its repository, so that the authors of the repository decide about it, or to the user. */
import { statSync } from "node:fs";
import { basename, relative, resolve, sep } from "node:path";
import type { Environment } from "../core/model.ts";
import { attempt } from "../system/errors.ts";
import { parentOf, within } from "../system/paths.ts";
import { isExactPath, realPath } from "../system/real-path.ts";
import { findRepository, isInOtherRepository, findGitRepository } from "../system/repository.ts";
import { GitRefusal, readGitRecords } from "./git-command.ts";

/**
 * Matches variables that git must not get: with them it would read another repository or index, as in a hook, or read a
 * path as a pattern. It gets the caller's settings (`GIT_CONFIG_…`), which may be needed for git to trust the repository.
 */
const REDIRECTING_VARIABLE = /^GIT_(?!CONFIG|EXEC_PATH$)/i;

/**
 * Returns true if git tracks the file, false if it does not. For a link, the answer is about the link, not about its
 * target.
 *
 * @param path absolute
 * @param environment the environment of git, without secrets
 * @returns undefined if git cannot answer: it is not installed, it refuses the repository, the path is not UTF-8, or the
 *   repository is one of another version control system
 */
export async function isTracked(path: string, environment: Environment): Promise<boolean | undefined> {
  const folder = parentOf(path);
  const realFolder = attempt(() => realPath(folder)) ?? folder;
  if (!isExactPath(path) || !isExactPath(realFolder)) return findRepository(folder) === undefined ? false : undefined;
  const repository = findGitRepository(realFolder);
  /** The answer if git does not track the file: another version control system may do so, which is not asked. */
  const answerUntracked = (): false | undefined => (isInOtherRepository(realFolder) ? undefined : false);
  // Without a repository, as on most servers, git need not be started.
  if (repository === undefined) return answerUntracked();
  const file = within(realFolder, basename(path));
  const gitEnvironment = new Map([...environment].filter(([name]) => !REDIRECTING_VARIABLE.test(name)));
  const name = relative(repository, file).split(sep).join("/");
  // On a file system that ignores case, git may list the file in another spelling: each file that it lists is compared.
  const args = ["ls-files", "-z", "--", `:(icase,literal)${name}`];
  try {
    // Git must run in the folder with .git: below it, a commit may have files that git takes for another repository.
    for await (const record of readGitRecords({ cwd: repository, environment: gitEnvironment }, args)) {
      const listedName = record.toString();
      if (listedName === name || isSameFile(resolve(repository, listedName), file)) return true;
    }
    return answerUntracked();
  } catch (error) {
    if (error instanceof GitRefusal) return undefined;
    throw error;
  }
}

/** Returns true if both paths exist and lead to the same file, even if they differ in case. */
function isSameFile(path: string, otherPath: string): boolean {
  const stats = attempt(() => statSync(path));
  const otherStats = attempt(() => statSync(otherPath));
  return stats !== undefined && stats.ino === otherStats?.ino && stats.dev === otherStats.dev;
}
