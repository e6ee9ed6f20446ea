/** `.env` files that are in a repository, and so are no secret any more. */
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import { shownPath } from "../../contract/file/text.ts";
import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import type { Assessment } from "../../resolve/assessment.ts";
import { withoutSecrets } from "../../resolve/secrets.ts";
import { GitRefusal, recordsOfGit } from "../git.ts";

/** The names of those `.env` files that are read and that git tracks, as they may be shown. */
export async function trackedFiles(
  { envFiles }: Pick<Settings, "envFiles">,
  { contract }: Pick<Assessment, "contract">,
  { cwd, environment }: Context,
): Promise<readonly string[]> {
  const named = envFiles.map(({ path }) => resolve(cwd, path));
  const above = contract.source.kind === "file" ? [join(dirname(contract.source.path), ".env")] : [];
  const tracked: string[] = [];
  for (const path of new Set([...named, ...above])) {
    if (!existsSync(path) || !isInRepository(path)) continue;
    if (await isTracked(path, { cwd: dirname(path), environment: withoutSecrets(environment, contract) })) {
      tracked.push(printable(shownPath(path, cwd)));
    }
  }
  return tracked;
}

/** Without a look at the folders, git would be started in vain on most servers. */
function isInRepository(path: string): boolean {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git"))) return true;
    if (folder === dirname(folder)) return false;
  }
}

async function isTracked(path: string, git: Parameters<typeof recordsOfGit>[0]): Promise<boolean> {
  try {
    for await (const _ of recordsOfGit(git, ["ls-files", "-z", "--", basename(path)])) return true;
  } catch (error) {
    // Without git nobody can tell.
    if (!(error instanceof GitRefusal)) throw error;
  }
  return false;
}
