import type { Settings } from "../../command-line/settings.ts";
import { shownCommand } from "../../core/command-word.ts";
import type { Context } from "../../core/context.ts";
import type { SophiaError } from "../../core/error.ts";
import type { Assessment } from "../../resolve/assessment.ts";
import { contractUnmet } from "../contract-unmet.ts";

/** Makes the error (contract-unmet, 78) of a start. */
export function refusal(
  assessment: Assessment,
  command: string,
  settings: Pick<Settings, "quiet" | "contractFile" | "envFiles">,
  context: Context,
): Promise<SophiaError> {
  const words = { consequence: `${shownCommand(command)} was not started`, wayOut: "--no-contract launches anyway" };
  return contractUnmet(assessment, words, settings, context);
}
