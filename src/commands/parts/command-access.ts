/** Finds the access to ESC for commands that need no values of variables: `set`, `request`, `audit`, `rotate` and others. */
import type { Settings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import type { Notice } from "../../core/model.ts";
import type { EscAccess, EscOptions } from "../../esc/settings/access-settings.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";
import { accessToEsc } from "../../access/esc-access.ts";
import type { DotenvReading } from "../../sources/dotenv/index.ts";
import { createCompanions } from "./command-start.ts";

/** The files that the command has already read. `findEscAccess` reads those that are absent. */
interface ReadFiles {
  readonly dotenv?: DotenvReading;
  /** `none`: the contract is not read, so that it cannot name the environment. */
  readonly contract?: Contract | "none";
}

/**
 * Finds the settings for ESC in the environment, the `.env` files and the contract, and asks the user for the consent that they
 * need.
 *
 * @param options settings in place of those that would be found
 * @throws SophiaError (125) for malformed settings, files and contracts
 */
export async function findEscAccess(
  settings: Settings,
  context: Context,
  options: Partial<EscOptions> = {},
  readFiles: ReadFiles = {},
): Promise<{ readonly access: EscAccess; readonly notices: readonly Notice[]; readonly dotenv: DotenvReading }> {
  const dotenv = readFiles.dotenv ?? (await readEnvFiles(settings, findPlaces(settings, context), context.environment));
  const contract =
    readFiles.contract === "none" ? undefined : (readFiles.contract ?? (await loadContract(settings, context)));
  const request = { settings, ...createCompanions(settings, context), ...context };
  return { ...(await accessToEsc(request, dotenv, contract, options)), dotenv };
}
