/**
 * Reads the sources of variables and selects their values for a command, by the stages in `resolve/stages.ts`. While the sources
 * are read, progress is shown on standard error, and the user may be asked for consent at the terminal.
 */
import type { Settings } from "../../command-line/settings.ts";
import type { Context } from "../../core/context.ts";
import { readSources, resolveStart } from "../../resolve/stages.ts";
import type { AskConsent } from "../../access/access-request.ts";
import type { Companions, ReadingProgress, Start } from "../../resolve/start.ts";
import { loader } from "../../system/addon/addon.ts";

/**
 * The computing time that JavaScript gets beyond `--timeout`, so that a slow request is reported before this limit ends the
 * process.
 */
const EXTRA_COMPUTING_MS = 1000;

/** Reads all sources, and checks the values against the contract. @throws SophiaError (125) */
export async function resolveCommandStart(settings: Settings, context: Context): Promise<Start> {
  return resolveStart(settings, context, createCompanions(settings, context));
}

/** Reads all sources, without selecting or checking values. @throws SophiaError (125) */
export async function readCommandSources(
  settings: Settings,
  context: Context,
): Promise<Omit<Start, "values" | "verdict">> {
  return readSources(settings, context, createCompanions(settings, context));
}

/**
 * Creates the functions by which the stages of a start report to the user and ask for consent.
 *
 * From this call on, JavaScript may only compute for a limited time before it waits for events again. A timer ends requests to ESC
 * that take too long, but no timer fires while JavaScript computes, for instance while it parses a huge `.env` file.
 */
export function createCompanions(settings: Settings, context: Context): Companions {
  loader?.limitTurns?.(settings.timeoutMs + EXTRA_COMPUTING_MS);
  const progress = async (): Promise<ReadingProgress> =>
    (await import("../../output/progress.ts")).createProgress(context, settings);
  const reportSources: Companions["reportSources"] = async (start) => {
    const { describeSources } = await import("../../output/source-lines.ts");
    const { printLine } = await progress();
    for (const line of describeSources(start)) printLine(line);
  };
  const askConsent: AskConsent = async (proposal, isLasting) =>
    (await import("./ask-consent.ts")).askConsent(proposal, isLasting, context);
  return { progress, askConsent, ...(settings.verbose && { reportSources }) };
}
