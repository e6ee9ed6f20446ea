import type { Values } from "../command-line/options.ts";
import { settle, type Settings } from "../command-line/settings.ts";
import type { Context } from "../core/context.ts";
import { makeProgress } from "../output/progress.ts";
import { assess } from "../resolve/assess.ts";
import type { Assessment } from "../resolve/assessment.ts";

/**
 * What a launch and most subcommands begin with: the settings, and all sources read and checked by them.
 *
 * @throws SophiaError (125) as `settle` and `assess` do
 */
export async function assessed(
  options: Values,
  context: Context,
): Promise<{ readonly settings: Settings; readonly assessment: Assessment }> {
  const { environment, cwd } = context;
  const settings = settle(options, environment);
  const assessment = await assess({ settings, environment, cwd, progress: makeProgress(context, settings) });
  return { settings, assessment };
}
