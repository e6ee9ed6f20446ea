/** Variables that an ESC environment has, by name alone. */
import type { Context } from "../../core/context.ts";
import { escAccess } from "../../esc/settings/access.ts";
import { evaluateEnvironments } from "../../esc/api/evaluate.ts";
import { SophiaError } from "../../core/error.ts";
import { makeProgress } from "../../output/progress.ts";
import type { Settings } from "../../command-line/settings.ts";
import { readEnvFiles } from "../../resolve/env-files.ts";
import { type Found, isCandidate } from "./found.ts";

/**
 * The names that the environments of `ESC_ENV` give; `undefined` where ESC is not configured. They are evaluated, not opened.
 *
 * @throws SophiaError (125) where ESC is configured and cannot be asked
 */
export async function fromEsc(settings: Settings, context: Context): Promise<readonly Found[] | undefined> {
  const dotenv = await readEnvFiles(settings, context.cwd);
  const { access } = escAccess(context.environment, dotenv.layers, settings);
  if (access.kind !== "on") return undefined;
  const progress = makeProgress(context, settings);
  const answers = await evaluateEnvironments(access.settings, progress).finally(progress.done);
  if (answers.kind !== "read") throw new SophiaError(answers.failure);
  const found = new Map<string, Found>();
  for (const { variables } of answers.results) {
    for (const [name, { kind }] of variables) {
      if (kind !== "list-or-object" && isCandidate(name)) {
        // What ESC does not keep secret may still not be for the contract to show: its value stays out.
        found.set(name, { name, required: false, ...(kind === "known" ? { secret: false } : {}) });
      }
    }
  }
  return [...found.values()];
}
