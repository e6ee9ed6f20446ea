import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import { shownPath } from "../../contract/file/text.ts";
import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import type { Assessment } from "../../resolve/assessment.ts";
import { withoutSecrets } from "../../resolve/secrets.ts";
import { repositoryOf } from "../../system/repository.ts";
import { GitRefusal, recordsOfGit, type Git } from "../git.ts";

/** Returns the printable names of the `.env` files that git tracks, whose values are no longer secret. */
export async function trackedFiles(
  { envFiles }: Pick<Settings, "envFiles">,
  { contract }: Pick<Assessment, "contract">,
  context: Context,
): Promise<readonly string[]> {
  const named = envFiles.map(({ path, required }) => resolve(required ? context.cwd : context.project, path));
  const above = contract.source.kind === "file" ? [join(dirname(contract.source.path), ".env")] : [];
  const tracked: string[] = [];
  for (const path of new Set([...named, ...above])) {
    // Keeps git from being started without a repository, as on most servers.
    if (!existsSync(path) || repositoryOf(dirname(path)) === undefined) continue;
    if (await isTracked(path, { cwd: dirname(path), environment: withoutSecrets(context.environment, contract) })) {
      tracked.push(printable(shownPath(path, context.cwd)));
    }
  }
  return tracked;
}

async function isTracked(path: string, git: Git): Promise<boolean> {
  try {
    for await (const _ of recordsOfGit(git, ["ls-files", "-z", "--", basename(path)])) return true;
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
  }
  return false;
}
