import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Settings } from "../../command-line/settings.ts";
import { shownPath } from "../../contract/file/contract-text.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import { printable } from "../../core/text.ts";
import { withoutSecrets } from "../../contract/secret-names.ts";
import { isTracked } from "../../access/tracked-by-git.ts";
import { parentOf, within } from "../../system/paths.ts";

/** Returns the printable names of the `.env` files that git tracks, whose values are no longer secret. */
export async function trackedFiles(
  { envFiles }: Pick<Settings, "envFiles">,
  contract: Contract,
  context: Context,
): Promise<readonly string[]> {
  const named = envFiles.map(({ path, required }) =>
    isAbsolute(path) ? path : within(required ? context.cwd : context.project, path),
  );
  const above = contract.source.kind === "file" ? [within(parentOf(contract.source.path), ".env")] : [];
  const tracked: string[] = [];
  for (const path of new Set([...named, ...above])) {
    if (!existsSync(path)) continue;
    if ((await isTracked(path, withoutSecrets(context.environment, contract))) === true) {
      tracked.push(printable(shownPath(path, context.cwd)));
    }
  }
  return tracked;
}
