import type { Settings } from "../command-line/settings.ts";
import { findContract, type ContractSearch } from "../contract/load.ts";
import type { Folders } from "../core/context.ts";
import type { Environment } from "../core/model.ts";
import { readDotenv, type DotenvReading } from "../sources/dotenv/index.ts";
import { parentOf } from "../system/paths.ts";

/**
 * Reads the named `.env` files, else `.env` of the project's folder. `.env` of the contract's folder above adds missing
 * values, so that a script of a workspace has those of the repository's root. @throws SophiaError (dotenv, 125)
 */
export async function readEnvFiles(
  { envFiles, contractFile }: Pick<Settings, "envFiles" | "contractFile">,
  { environment: { foldsCase }, ...folders }: Folders & { readonly environment: Pick<Environment, "foldsCase"> },
  found?: ContractSearch,
): Promise<DotenvReading> {
  const isNamed = envFiles.some(({ required }) => required);
  const contract =
    isNamed || contractFile !== undefined ? undefined : (found ?? { path: findContract(folders.project) }).path;
  const above = contract === undefined ? folders.project : parentOf(contract);
  const reading = await readDotenv(envFiles, folders, above);
  if (foldsCase !== true) return reading;
  return { ...reading, layers: (await import("./folded.ts")).withRulesSpelling(reading.layers) };
}
