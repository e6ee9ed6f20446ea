/**
 * Finds the access to Pulumi ESC for commands that need no values of variables, such as `set`, `request`, `audit` and `rotate`. The
 * other commands get it with the values, by the functions in command-start.ts.
 */
import type { Settings } from "../../command-line/settings.ts";
import { loadContract } from "../../contract/find-contract.ts";
import type { Contract } from "../../contract/contract-model.ts";
import type { Context } from "../../core/context.ts";
import type { Notice } from "../../core/model.ts";
import type { EscAccess, EscOptions } from "../../esc/settings/access-settings.ts";
import { findPlaces } from "../../resolve/find-places.ts";
import { readEnvFiles } from "../../resolve/read-files.ts";
import { resolveEscAccess } from "../../access/esc-access.ts";
import type { DotenvReading } from "../../sources/dotenv/index.ts";
import { createCompanions } from "./command-start.ts";

/** The files that the command has read already. `findEscAccess` reads the others. */
interface AlreadyReadFiles {
  readonly dotenv?: DotenvReading;
  /** `none` means that the contract must not be read, so that it cannot name the environment. */
  readonly contract?: Contract | "none";
}

/**
 * Finds the settings of ESC in the process environment, the `.env` files and the contract. If a file names the environment, asks
 * the user for consent.
 *
 * @param options settings that replace those in the environment, the files and the contract
 * @throws SophiaError (125) for malformed settings, files and contracts
 */
export async function findEscAccess(
  settings: Settings,
  context: Context,
  options: Partial<EscOptions> = {},
  readFiles: AlreadyReadFiles = {},
): Promise<{ readonly access: EscAccess; readonly notices: readonly Notice[]; readonly dotenv: DotenvReading }> {
  const dotenv = readFiles.dotenv ?? (await readEnvFiles(settings, findPlaces(settings, context), context.environment));
  const contract =
    readFiles.contract === "none" ? undefined : (readFiles.contract ?? (await loadContract(settings, context)));
  const request = { settings, ...createCompanions(settings, context), ...context };
  return { ...(await resolveEscAccess(request, dotenv, contract, options)), dotenv };
}
