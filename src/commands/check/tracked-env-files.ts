/**
 * Finds `.env` files that git tracks, since all users who can read the repository can read their values. For `check` and
 * `audit`.
 */
import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import { shortenPath } from "../../contract/file/contract-text.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import { withoutSecrets } from "../../contract/secret-names.ts";
import { isTracked } from "../../access/tracked-by-git.ts";
import { parentOf, within } from "../../system/paths.ts";

/**
 * Returns the printable paths of the tracked files. It looks at the files that a start reads, and at the `.env` beside the
 * contract.
 */
export async function findTrackedEnvFiles(
  { envFiles }: Pick<Settings, "envFiles">,
  contract: Contract,
  context: Context,
): Promise<readonly string[]> {
  const pathsOfSettings = envFiles.map(({ path, required }) => {
    if (isAbsolute(path)) return path;
    // The user names a required file, so that its path begins at the working directory.
    return within(required ? context.cwd : context.project, path);
  });
  const pathsBesideContract = contract.source.kind === "file" ? [within(parentOf(contract.source.path), ".env")] : [];
  const tracked: string[] = [];
  for (const path of new Set([...pathsOfSettings, ...pathsBesideContract])) {
    if (!existsSync(path)) continue;
    // An undefined answer means that git cannot tell.
    if ((await isTracked(path, withoutSecrets(context.environment, contract))) === true) {
      tracked.push(printable(shortenPath(path, context.cwd)));
    }
  }
  return tracked;
}
