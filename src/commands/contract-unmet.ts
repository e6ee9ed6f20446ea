import type { Settings } from "../command-line/settings.ts";
import { shownCommand } from "../launch/program/start-error.ts";
import type { Context } from "../core/context.ts";
import { ExitStatus, SophiaError } from "../core/error.ts";
import { setOffer, wordUnmet } from "../output/unmet.ts";
import { unreadFileLines } from "../output/unread-file.ts";
import type { Assessment } from "../resolve/assessment.ts";

/**
 * Makes the error (contract-unmet, 78) of a command that starts or prints nothing for it.
 *
 * @param words what did not happen, and what makes it happen anyway
 */
export async function contractUnmet(
  assessment: Assessment,
  words: { readonly consequence: string; readonly wayOut: string },
  settings: Pick<Settings, "quiet" | "contractFile" | "envFiles">,
  context: Context,
): Promise<SophiaError> {
  const unread = await unreadFileLines(assessment, settings, context);
  const failure = wordUnmet(assessment, { ...words, quiet: settings.quiet, offer: setOffer(context), unread });
  return new SophiaError(failure, ExitStatus.config);
}

/** Makes the same error of a start. */
export function refusal(
  assessment: Assessment,
  command: string,
  settings: Pick<Settings, "quiet" | "contractFile" | "envFiles">,
  context: Context,
): Promise<SophiaError> {
  const words = { consequence: `${shownCommand(command)} was not started`, wayOut: "--no-contract launches anyway" };
  return contractUnmet(assessment, words, settings, context);
}
