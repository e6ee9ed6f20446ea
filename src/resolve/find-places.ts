/** Stage 2 of a start: where its files are. */
import type { Settings } from "../command-line/settings.ts";
import { placeContract } from "../contract/find-contract.ts";
import type { Folders } from "../core/context.ts";
import { parentOf } from "../system/paths.ts";
import type { Places } from "./start.ts";

/**
 * Finds the contract, and the folders in which `.env` files are looked for: that of the contract that was found, so that a script
 * of a workspace has the values of the repository's root, and that of the project, whose values win.
 */
export function findPlaces(
  { contractFile, envFiles }: Pick<Settings, "contractFile" | "envFiles">,
  { cwd, project }: Folders,
): Places {
  const contract = placeContract(contractFile, project);
  const contractFolder = contract === undefined || contract.isNamed ? project : parentOf(contract.path);
  const areFilesNamed = envFiles.some(({ required }) => required);
  const dotenvFolders = areFilesNamed ? [] : contractFolder === project ? [project] : [contractFolder, project];
  return { cwd, project, contract, dotenvFolders };
}
