import type { Values } from "../command-line/options.ts";
import { resolveSettings, type Settings } from "../command-line/settings.ts";
import type { Context } from "../core/context.ts";
import { assess } from "../resolve/assess.ts";
import type { AskConsent, Assessment, ReadingProgress } from "../resolve/assessment.ts";
import type { Request } from "../resolve/read-sources.ts";
import { loader } from "../system/addon/addon.ts";

/** Resolves the options, then reads and checks all sources. @throws SophiaError (125) */
export async function assessed(
  options: Values,
  context: Context,
): Promise<{ readonly settings: Settings; readonly assessment: Assessment }> {
  const settings = resolveSettings(options, context.environment);
  return { settings, assessment: await assessBy(settings, context) };
}

/** Reads and checks all sources, with progress on the standard error. @throws SophiaError (125) */
export function assessBy(settings: Settings, context: Context): Promise<Assessment> {
  return assess(requestOf(settings, context));
}

/** Returns a request to read all sources, and limits the time for which JavaScript may compute. */
export function requestOf(settings: Settings, context: Context): Request {
  const { environment, cwd, project } = context;
  // A second more than for what the event loop ends by itself.
  loader?.limitTurns?.(settings.timeoutMs + 1000);
  const progress = async (): Promise<ReadingProgress> =>
    (await import("../output/progress.ts")).makeProgress(context, settings);
  return { settings, environment, cwd, project, progress, askConsent: consentAsker(context) };
}

export function consentAsker(context: Context): AskConsent {
  return async (proposal) => (await import("./consent.ts")).askConsent(proposal, context);
}
