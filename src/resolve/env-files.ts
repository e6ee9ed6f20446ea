import type { Settings } from "../command-line/settings.ts";
import { isDeclared } from "../contract/check.ts";
import { findContract, type ContractSearch } from "../contract/load.ts";
import type { Contract } from "../contract/model.ts";
import type { Folders } from "../core/context.ts";
import type { Environment } from "../core/model.ts";
import { readDotenv, type DotenvReading } from "../sources/dotenv/index.ts";
import { isFound } from "../system/addon/addon.ts";
import { parentOf, within } from "../system/paths.ts";

export const OVERRIDE_FILE = ".env.override";
/** systemd names the folder of a unit's credentials by it. */
export const CREDENTIALS_FOLDER = "CREDENTIALS_DIRECTORY";
/** Docker mounts secrets there. */
export const SYSTEM_FOLDER = "/run/secrets";

type Files = Pick<Settings, "envFiles" | "contractFile">;

/**
 * Reads the named `.env` files, else `.env` of the project's folder. `.env` of the contract's folder above adds missing
 * values, so that a script of a workspace has those of the repository's root. @throws SophiaError (dotenv, 125)
 */
export async function readEnvFiles(
  settings: Files,
  { environment: { foldsCase }, ...folders }: Folders & { readonly environment: Pick<Environment, "foldsCase"> },
  found?: ContractSearch,
): Promise<DotenvReading> {
  const reading = await readDotenv(settings.envFiles, folders, folderAbove(settings, folders, found));
  if (foldsCase !== true) return reading;
  return { ...reading, layers: (await import("./folded.ts")).withRulesSpelling(reading.layers) };
}

/** Returns the folder of the contract that was found, if files are read there, else the project's. */
export function folderAbove(
  { envFiles, contractFile }: Files,
  { project }: Pick<Folders, "project">,
  found?: ContractSearch,
): string {
  if (areNamed(envFiles) || contractFile !== undefined) return project;
  const { path } = found ?? { path: findContract(project) };
  return path === undefined ? project : parentOf(path);
}

/** Returns true if there is a `.env.override` that may be read. */
export function hasOverride(
  { envFiles, override }: Pick<Settings, "envFiles" | "override">,
  { project }: Pick<Folders, "project">,
  above: string,
): boolean {
  const isIn = (folder: string): boolean => isFound(within(folder, OVERRIDE_FILE));
  return override && !areNamed(envFiles) && (isIn(project) || (above !== project && isIn(above)));
}

/** Returns true if there may be files with the values of declared variables: of `NAME_FILE`, or in a folder of secrets. */
export function hasValueFiles(secretsDirs: readonly string[], environment: Environment, contract: Contract): boolean {
  let has = secretsDirs.length > 0 || environment.has(CREDENTIALS_FOLDER) || isFound(SYSTEM_FOLDER);
  environment.forEach((_, name) => {
    if (name.endsWith("_FILE")) has ||= contract.scope !== undefined || isDeclared(contract, name.slice(0, -5));
  });
  return has;
}

function areNamed(files: Files["envFiles"]): boolean {
  return files.some(({ required }) => required);
}
