/**
 * Finds the contract of a project, and loads it. The code that reads a file and the built-in contract are loaded only if
 * they are used.
 */
import { existsSync } from "node:fs";
import type { Folders } from "../core/context.ts";
import { isPresent, isMissing } from "../system/addon/addon.ts";
import { parentOf, within } from "../system/paths.ts";
import { type Contract, CONTRACT_FILE_NAME, type ContractSelection } from "./contract-model.ts";

/** The file of a contract, before it is read. */
export interface ContractPlace {
  readonly path: string;
  /** True if the user named the file (`--contract`), false if it was found. */
  readonly isNamed: boolean;
}

interface ContractRequest extends ContractSelection {
  /** The file that the user named. */
  readonly contractFile?: string | undefined;
}

/**
 * Loads the file that the user named; otherwise the contract that is found; otherwise the built-in one.
 *
 * @throws SophiaError (125)
 */
export async function loadContract(request: ContractRequest, folders: Folders): Promise<Contract> {
  return loadContractAt(placeContract(request.contractFile, folders.project), request, folders);
}

/** Loads the contract of a place; the built-in one if the place is undefined. @throws SophiaError (125) */
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
  const selected = profile ?? scope;
  if (selected === undefined) return contract;
  const { unknownPart } = await import("./scope.ts");
  throw unknownPart(profile === undefined ? "scope" : "profile", "the built-in contract", selected, []);
}

/**
 * Returns the place of the file that the user named; otherwise of the contract that is found; undefined for the built-in
 * contract.
 *
 * The search goes upwards from the project's folder to the root of the repository, which has `.git`; without a repository
 * to the root of the file system. It ends at the first file with the name of a contract, even if that must not be read,
 * such as another user's in /tmp: a contract further up could require less.
 */
export function placeContract(contractFile: string | undefined, project: string): ContractPlace | undefined {
  if (contractFile !== undefined) return { path: contractFile, isNamed: true };
  for (let folder = project; ; folder = parentOf(folder)) {
    const path = within(folder, CONTRACT_FILE_NAME);
    if (isPresent(path)) return { path, isNamed: false };
    const git = within(folder, ".git");
    // The addon answers first, because the functions of Node.js would first be compiled.
    const isRepository = !isMissing(git) && existsSync(git);
    if (isRepository || parentOf(folder) === folder) return undefined;
  }
}
