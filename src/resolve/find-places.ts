/** Stage 2 of a start: finds the file of the contract and the folders of the `.env` files. */
import type { Settings } from "../command-line/settings.ts";
import { locateContract } from "../contract/find-contract.ts";
import type { Folders } from "../core/context.ts";
import { parentOf } from "../system/paths.ts";
import type { Places } from "./start.ts";

/**
 * Finds the contract, and the folders in which `.env` and `.env.override` are looked for.
 *
 * Those are the folder of a contract that was found, so that a script of a workspace has the values of the repository's root,
 * and the project's folder, whose values win. If the user has named `.env` files, no folder is searched.
 */
export function findPlaces(
  { contractFile, envFiles }: Pick<Settings, "contractFile" | "envFiles">,
  { cwd, project }: Folders,
): Places {
  const contract = locateContract(contractFile, project);
  const userNamedFiles = envFiles.some(({ required }) => required);
  if (userNamedFiles) return { cwd, project, contract, dotenvFolders: [] };
  const contractFolder = contract === undefined || contract.isNamed ? project : parentOf(contract.path);
  const dotenvFolders = contractFolder === project ? [project] : [contractFolder, project];
  return { cwd, project, contract, dotenvFolders };
}
