/** Finds and chooses the contract. The code that reads a file, and the built-in contract, are loaded only if they are used. */
import { existsSync } from "node:fs";
import type { Folders } from "../core/context.ts";
import { isFound, isMissing } from "../system/addon/addon.ts";
import { parentOf, within } from "../system/paths.ts";
import { type Contract, CONTRACT_FILE_NAME, type ContractPart } from "./model.ts";

/** The outcome of `findContract`, for callers that have searched already. */
export interface ContractSearch {
  readonly path: string | undefined;
}

interface ContractRequest extends ContractPart {
  readonly contractFile?: string | undefined;
}

/**
 * Loads the named file, else the contract that is found, else the built-in one. @throws SophiaError (125)
 * @param found the result of `findContract`, if the caller has searched
 */
export async function loadContract(
  { contractFile, profile, scope }: ContractRequest,
  folders: Folders,
  found?: ContractSearch,
): Promise<Contract> {
  const path = contractFile ?? (found ?? { path: findContract(folders.project) }).path;
  if (path !== undefined) {
    const { loadContractFile } = await import("./file/load.ts");
    return loadContractFile(path, contractFile === undefined, folders, { profile, scope });
  }
  const { BUILT_IN: contract } = await import("./generated/built-in.ts");
  const wanted = profile ?? scope;
  if (wanted === undefined) return contract;
  const { unknownPart } = await import("./scope.ts");
  throw unknownPart(profile === undefined ? "scope" : "profile", "the built-in contract", wanted, []);
}

/**
 * Searches upwards to the root of the repository (with `.git`), or else of the file system. A file that must not be
 * read, such as another user's in /tmp, ends the search too: a contract further up might require less.
 */
export function findContract(project: string): string | undefined {
  for (let folder = project; ; folder = parentOf(folder)) {
    const path = within(folder, CONTRACT_FILE_NAME);
    if (isFound(path)) return path;
    const git = within(folder, ".git");
    if ((!isMissing(git) && existsSync(git)) || parentOf(folder) === folder) return undefined;
  }
}
