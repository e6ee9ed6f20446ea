import { basename, dirname } from "node:path";
import type { Environment } from "../core/model.ts";
import { repositoryOf } from "../system/repository.ts";
import { GitRefusal, recordsOfGit } from "./git.ts";

/**
 * Returns true if git tracks the file; undefined if git cannot tell, because it is not installed or refuses the repository.
 *
 * @param environment git's own, without secrets
 */
export async function isTracked(path: string, environment: Environment): Promise<boolean | undefined> {
  const cwd = dirname(path);
  // Keeps git from being started without a repository, as on most servers.
  if (repositoryOf(cwd) === undefined) return false;
  try {
    for await (const _ of recordsOfGit({ cwd, environment }, ["ls-files", "-z", "--", basename(path)])) return true;
    return false;
  } catch (error) {
    if (error instanceof GitRefusal) return undefined;
    throw error;
  }
}
