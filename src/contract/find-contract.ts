/** Finds and chooses the contract. The code that reads a file, and the built-in contract, are loaded only if they are used. */
import { existsSync } from "node:fs";
import type { Folders } from "../core/context.ts";
import { isPresent, isMissing } from "../system/addon/addon.ts";
import { parentOf, within } from "../system/paths.ts";
import { type Contract, CONTRACT_FILE_NAME, type ContractSelection } from "./contract-model.ts";

/** The file of a contract. */
export interface ContractPlace {
  readonly path: string;
  /** The user named it (`--contract`); otherwise it was found. */
  readonly isNamed: boolean;
}

interface ContractRequest extends ContractSelection {
  readonly contractFile?: string | undefined;
}

/** Loads the named file, else the contract that is found, else the built-in one. @throws SophiaError (125) */
export async function loadContract(request: ContractRequest, folders: Folders): Promise<Contract> {
  return loadContractAt(placeContract(request.contractFile, folders.project), request, folders);
}

/** Loads the contract of a place; the built-in one for none. @throws SophiaError (125) */
export async function loadContractAt(
  place: ContractPlace | undefined,
  { profile, scope }: ContractSelection,
  folders: Folders,
): Promise<Contract> {
  if (place !== undefined) {
    const { loadContractFile } = await import("./file/load-file.ts");
    return loadContractFile(place.path, !place.isNamed, folders, { profile, scope });
  }
  const { BUILT_IN: contract } = await import("./generated/built-in.ts");
  const wanted = profile ?? scope;
  if (wanted === undefined) return contract;
  const { unknownPart } = await import("./scope.ts");
  throw unknownPart(profile === undefined ? "scope" : "profile", "the built-in contract", wanted, []);
}

/**
 * Returns the place of the named file, else of the contract that is found; undefined for the built-in one. The search goes upwards
 * to the root of the repository (with `.git`), or else of the file system. A file that must not be read, such as another user's in
 * /tmp, ends the search too: a contract further up might require less.
 */
export function placeContract(contractFile: string | undefined, project: string): ContractPlace | undefined {
  if (contractFile !== undefined) return { path: contractFile, isNamed: true };
  for (let folder = project; ; folder = parentOf(folder)) {
    const path = within(folder, CONTRACT_FILE_NAME);
    if (isPresent(path)) return { path, isNamed: false };
    const git = within(folder, ".git");
    if ((!isMissing(git) && existsSync(git)) || parentOf(folder) === folder) return undefined;
  }
}
