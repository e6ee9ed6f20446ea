/** Stage 3 of a start: reads the contract, and the values in files. */
import { loadContractAt } from "../contract/find-contract.ts";
import type { Settings } from "../command-line/settings.ts";
import type { Environment } from "../core/model.ts";
import { readDotenv, type DotenvReading } from "../sources/dotenv/index.ts";
import { addOverride } from "./override.ts";
import type { Files, Places, Start } from "./start.ts";
import { addValueFiles } from "./value-files.ts";

/**
 * Reads the contract, the `.env` files, `.env.override`, the folders of secrets, and the files that `NAME_FILE` names.
 *
 * @throws SophiaError (125) for a file that cannot be read or is malformed, and for a `.env.override` that git tracks
 */
export async function readFiles(start: Pick<Start, "environment" | "settings" | "places">): Promise<Files> {
  const { environment, settings, places } = start;
  const dotenv = await readEnvFiles(settings, places, environment);
  const writtenContract = await loadContractAt(places.contract, settings, places);
  const contract =
    environment.foldsCase === true
      ? (await import("./case-insensitive.ts")).foldContract(writtenContract)
      : writtenContract;
  const withOverride = await addOverride(dotenv, contract, start);
  return { contract, dotenv, all: await addValueFiles(withOverride, contract, start) };
}

/**
 * Reads the `.env` files that the user has named. If the user has named none, it reads those in `places.dotenvFolders`.
 *
 * @throws SophiaError (dotenv, 125)
 */
export async function readEnvFiles(
  { envFiles }: Pick<Settings, "envFiles">,
  places: Places,
  { foldsCase }: Pick<Environment, "foldsCase">,
): Promise<DotenvReading> {
  const reading = await readDotenv(envFiles, places, places.dotenvFolders);
  if (foldsCase !== true) return reading;
  return { ...reading, layers: (await import("./case-insensitive.ts")).spellLayersByRules(reading.layers) };
}
