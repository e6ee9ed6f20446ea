import type { Settings } from "../../command-line/settings.ts";
import { shownCommand } from "../../core/command-word.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { setOffer, wordUnmet } from "../../output/unmet.ts";
import type { Assessment } from "../../resolve/assessment.ts";

/** Makes the error (contract-unmet, 78) of a start. */
export function refusal(
  assessment: Assessment,
  command: string,
  { quiet }: Pick<Settings, "quiet">,
  context: Context,
): SophiaError {
  const failure = wordUnmet(assessment, {
    consequence: `${shownCommand(command)} was not started`,
    wayOut: "--no-contract launches anyway",
    quiet,
    offer: setOffer(context),
  });
  return new SophiaError(failure, ExitStatus.config);
}
