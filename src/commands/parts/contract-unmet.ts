import type { Settings } from "../../command-line/settings.ts";
import { shownCommand } from "../../launch/program/start-error.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { setOffer, describeUnmet } from "../../output/unmet.ts";
import { unreadFileLines } from "../../output/unread-file.ts";
import type { Start } from "../../resolve/start.ts";

/**
 * Makes the error (contract-unmet, 78) of a command that starts or prints nothing for it.
 *
 * @param words what did not happen, and what makes it happen anyway
 */
export async function contractUnmet(
  start: Start,
  words: { readonly consequence: string; readonly wayOut: string },
  settings: Pick<Settings, "quiet" | "contractFile" | "envFiles">,
  context: Context,
): Promise<SophiaError> {
  const unread = await unreadFileLines(start, settings, context);
  const failure = describeUnmet(start, { ...words, quiet: settings.quiet, offer: setOffer(context), unread });
  return new SophiaError(failure, ExitStatus.config);
}

/** Makes the same error of a start. */
export function refusal(
  start: Start,
  command: string,
  settings: Pick<Settings, "quiet" | "contractFile" | "envFiles">,
  context: Context,
): Promise<SophiaError> {
  const words = { consequence: `${shownCommand(command)} was not started`, wayOut: "--no-contract launches anyway" };
  return contractUnmet(start, words, settings, context);
}
