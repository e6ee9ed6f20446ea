import type { Settings } from "../../command-line/settings.ts";
import { shownCommand } from "../../core/command-word.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { setOffer, wordUnmet } from "../../output/unmet.ts";
import { unreadFileLines } from "../../output/unread-file.ts";
import type { Assessment } from "../../resolve/assessment.ts";

/** Makes the error (contract-unmet, 78) of a start. */
export async function refusal(
  assessment: Assessment,
  command: string,
  settings: Pick<Settings, "quiet" | "contractFile" | "envFiles">,
  context: Context,
): Promise<SophiaError> {
  const failure = wordUnmet(assessment, {
    consequence: `${shownCommand(command)} was not started`,
    wayOut: "--no-contract launches anyway",
    quiet: settings.quiet,
    offer: setOffer(context),
    unread: await unreadFileLines(assessment, settings, context),
  });
  return new SophiaError(failure, ExitStatus.config);
}
