/** Stage 3 of a start: the contract, and the values in files. */
import { loadContractAt } from "../contract/find-contract.ts";
import type { Settings } from "../command-line/settings.ts";
import type { Environment } from "../core/model.ts";
import { readDotenv, type DotenvReading } from "../sources/dotenv/index.ts";
import { withOverride } from "./override.ts";
import type { Files, Places, Start } from "./start.ts";
import { withValueFiles } from "./value-files.ts";

/** @throws SophiaError (125) for a file that cannot be read or is malformed, and for a `.env.override` that git tracks */
export async function readFiles(start: Pick<Start, "environment" | "settings" | "places">): Promise<Files> {
  const { environment, settings, places } = start;
  const dotenv = await readEnvFiles(settings, places, environment);
  const contract = await loadContractAt(places.contract, settings, places);
  const folded =
    environment.foldsCase === true ? (await import("./case-insensitive.ts")).foldedContract(contract) : contract;
  const overridden = await withOverride(dotenv, folded, start);
  return { contract: folded, dotenv, all: await withValueFiles(overridden, folded, start) };
}

/**
 * Reads the `.env` files that the user has named, else those of the start's folders.
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
  return { ...reading, layers: (await import("./case-insensitive.ts")).withRulesSpelling(reading.layers) };
}
