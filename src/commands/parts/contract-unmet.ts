/** Builds the error (contract-unmet, 78) of a command whose configuration does not meet the contract. */
import type { Settings } from "../../command-line/settings.ts";
import { shownCommand } from "../../launch/program/start-error.ts";
import type { Context } from "../../core/context.ts";
import { ExitStatus, SophiaError } from "../../core/error.ts";
import { setOffer, describeUnmet } from "../../output/unmet.ts";
import { unreadFileLines } from "../../output/unread-file.ts";
import type { Start } from "../../resolve/start.ts";

type UnmetSettings = Pick<Settings, "quiet" | "contractFile" | "envFiles">;

/** The texts that differ for each command. */
interface UnmetTexts {
  /** The text that says what the command did not do: `node was not started`. */
  readonly consequence: string;
  /** The option that makes the command continue anyway: `--no-contract launches anyway`. */
  readonly wayOut: string;
}

/** Returns the error, with a line for each violation. */
export async function contractUnmetError(
  start: Start,
  texts: UnmetTexts,
  settings: UnmetSettings,
  context: Context,
): Promise<SophiaError> {
  const unread = await unreadFileLines(start, settings, context);
  const failure = describeUnmet(start, { ...texts, quiet: settings.quiet, offer: setOffer(context), unread });
  return new SophiaError(failure, ExitStatus.config);
}

/** Returns the error for a program that was not started. @param command the program's name or path */
export function startRefusedError(
  start: Start,
  command: string,
  settings: UnmetSettings,
  context: Context,
): Promise<SophiaError> {
  const texts = { consequence: `${shownCommand(command)} was not started`, wayOut: "--no-contract launches anyway" };
  return contractUnmetError(start, texts, settings, context);
}
