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
import { companionsOf } from "./command-start.ts";

interface Read {
  readonly dotenv?: DotenvReading;
  /** `none`: a contract may not name the environment. */
  readonly contract?: Contract | "none";
}

/**
 * Finds the settings for ESC of a command that resolves no variables, with the consent that they need.
 *
 * @throws SophiaError (125) for malformed settings, files and contracts
 */
export async function accessOf(
  settings: Settings,
  context: Context,
  options: Partial<EscOptions> = {},
  { dotenv, contract }: Read = {},
): Promise<{ readonly access: EscAccess; readonly notices: readonly Notice[]; readonly dotenv: DotenvReading }> {
  const read = dotenv ?? (await readEnvFiles(settings, findPlaces(settings, context), context.environment));
  const loaded = contract === "none" ? undefined : (contract ?? (await loadContract(settings, context)));
  const request = { settings, ...companionsOf(settings, context), ...context };
  return { ...(await accessToEsc(request, read, loaded, options)), dotenv: read };
}
