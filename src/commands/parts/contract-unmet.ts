/** Creates the error (contract-unmet, 78) of a command that does nothing because the configuration does not meet the contract. */
import type { Settings } from "../../command-line/settings.ts";
import { shownCommand } from "../../launch/program/start-error.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { chooseSetCommandInput, describeUnmet } from "../../output/unmet.ts";
import { describeUnreadFiles } from "../../output/unread-file.ts";
import type { Start } from "../../resolve/start.ts";

type UnmetSettings = Pick<Settings, "quiet" | "contractFile" | "envFiles">;

/** The texts of the error that differ for each command. */
interface UnmetTexts {
  /** The statement that the command did nothing: `node was not started`. */
  readonly consequence: string;
  /** How the user can make the command continue anyway: `--no-contract launches anyway`. */
  readonly wayOut: string;
}

/** Returns the error, with a line for each violation. */
export async function createContractUnmetError(
  start: Start,
  texts: UnmetTexts,
  settings: UnmetSettings,
  context: Context,
): Promise<SophiaError> {
  // A `.env` file that was not read may have the missing values.
  const unread = await describeUnreadFiles(start, settings, context);
  const failure = describeUnmet(start, {
    ...texts,
    quiet: settings.quiet,
    offer: chooseSetCommandInput(context),
    unread,
  });
  return new SophiaError(failure, ExitStatus.config);
}

/** Returns the error for a program that was not started. @param command the name or path of the program */
export function createStartRefusedError(
  start: Start,
  command: string,
  settings: UnmetSettings,
  context: Context,
): Promise<SophiaError> {
  const texts = { consequence: `${shownCommand(command)} was not started`, wayOut: "--no-contract launches anyway" };
  return createContractUnmetError(start, texts, settings, context);
}
