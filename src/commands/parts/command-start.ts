/** The stages of a start, for commands: with progress on the standard error, and questions at the terminal. */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { readSources, resolveStart } from "../../resolve/stages.ts";
import type { AskConsent } from "../../access/access-request.ts";
import type { Companions, ReadingProgress, Start } from "../../resolve/start.ts";
import { loader } from "../../system/addon/addon.ts";

/** Reads and checks all sources. @throws SophiaError (125) */
export async function startWith(settings: Settings, context: Context): Promise<Start> {
  return resolveStart(settings, context, companionsOf(settings, context));
}

/** Reads all sources, and checks nothing. @throws SophiaError (125) */
export async function sourcesWith(settings: Settings, context: Context): Promise<Omit<Start, "values" | "verdict">> {
  return readSources(settings, context, companionsOf(settings, context));
}

/**
 * Returns the companions of a start, who talk to its user. From now on JavaScript may compute only for a second more than ESC has
 * to answer, after which the event loop ends the reading by itself.
 */
export function companionsOf(settings: Settings, context: Context): Companions {
  loader?.limitTurns?.(settings.timeoutMs + 1000);
  const progress = async (): Promise<ReadingProgress> =>
    (await import("../../output/progress.ts")).makeProgress(context, settings);
  const reportSources: Companions["reportSources"] = async (start) => {
    const { readingLines } = await import("../../output/source-lines.ts");
    const { printLine } = await progress();
    for (const line of readingLines(start)) printLine(line);
  };
  const askConsent: AskConsent = async (proposal, isLasting) =>
    (await import("./ask-consent.ts")).askConsent(proposal, isLasting, context);
  return { progress, askConsent, ...(settings.verbose && { reportSources }) };
}
