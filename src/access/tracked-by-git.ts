import { statSync } from "node:fs";
import { basename, relative, resolve, sep } from "node:path";
import type { Environment } from "../core/model.ts";
import { attempt } from "../system/errors.ts";
import { parentOf, within } from "../system/paths.ts";
import { isExact, realPath } from "../system/real-path.ts";
import { anyRepositoryOf, isInOtherRepository, repositoryOf } from "../system/repository.ts";
import { GitRefusal, recordsOfGit } from "./git-command.ts";

/**
 * Variables by which git would ask another repository or index than the file's, as in its hooks, or read a path as a
 * pattern. Settings of the caller's (`GIT_CONFIG_…`) may be needed to trust the repository.
 */
const REDIRECTING = /^GIT_(?!CONFIG|EXEC_PATH$)/i;

/**
 * Returns true if git tracks the file. Undefined if git cannot tell: it is not installed, refuses the repository, cannot be asked
 * about a path that is not UTF-8, or the repository is of another system. A link is asked about, not its target.
 *
 * @param path absolute
 * @param environment git's own, without secrets
 */
export async function isTracked(path: string, environment: Environment): Promise<boolean | undefined> {
  const folder = parentOf(path);
  const real = attempt(() => realPath(folder)) ?? folder;
  if (!isExact(path) || !isExact(real)) return anyRepositoryOf(folder) === undefined ? false : undefined;
  // Keeps git from being started without a repository, as on most servers.
  const repository = repositoryOf(real);
  const untracked = (): false | undefined => (isInOtherRepository(real) ? undefined : false);
  if (repository === undefined) return untracked();
  const file = within(real, basename(path));
  const own = new Map([...environment].filter(([name]) => !REDIRECTING.test(name)));
  const name = relative(repository, file).split(sep).join("/");
  // A file system that ignores the case of names has the file under other spellings as well.
  const args = ["ls-files", "-z", "--", `:(icase,literal)${name}`];
  try {
    // In the folder with .git: below it, a commit may have files that git takes for a repository of its own.
    for await (const listed of recordsOfGit({ cwd: repository, environment: own }, args)) {
      const other = listed.toString();
      if (other === name || isSameFile(resolve(repository, other), file)) return true;
    }
    return untracked();
  } catch (error) {
    if (error instanceof GitRefusal) return undefined;
    throw error;
  }
}

function isSameFile(one: string, other: string): boolean {
  const [first, second] = [one, other].map((path) => attempt(() => statSync(path)));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}
