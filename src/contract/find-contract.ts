/**
 * Finds the contract of a project, which declares the variables of its programs, and loads it. The contract is the file
 * that the user named, or a `sophia.contract.json` in the project's folder or above, or else the contract that is built
 * into sophia-run. Each start and most commands call this.
 *
 * The code that reads files, and the built-in contract, are imported only if they are used.
 */
import { existsSync } from "node:fs";
import type { Folders } from "../core/context.ts";
import { isPresent, isMissing } from "../system/addon/addon.ts";
import { parentOf, within } from "../system/paths.ts";
import { type Contract, CONTRACT_FILE_NAME, type ContractSelection } from "./contract-model.ts";

/** The file of a contract, before it is read. */
export interface ContractLocation {
  readonly path: string;
  /** True if the user named the file (`--contract`), false if sophia-run found it. */
  readonly isNamed: boolean;
}

interface ContractRequest extends ContractSelection {
  /** The file that the user named. */
  readonly contractFile?: string | undefined;
}

/**
 * Finds and loads the contract.
 *
 * @throws SophiaError (125)
 */
export async function loadContract(request: ContractRequest, folders: Folders): Promise<Contract> {
  return loadContractAt(locateContract(request.contractFile, folders.project), request, folders);
}

/** Loads the contract from a file; the built-in contract if `place` is undefined. @throws SophiaError (125) */
export async function loadContractAt(
  place: ContractLocation | undefined,
  { profile, scope }: ContractSelection,
  folders: Folders,
): Promise<Contract> {
  if (place !== undefined) {
    const { loadContractFile } = await import("./file/load-file.ts");
    return loadContractFile(place, folders, { profile, scope });
  }
  const { BUILT_IN: contract } = await import("./generated/built-in.ts");
  // The built-in contract has neither profiles nor scopes.
  const selected = profile ?? scope;
  if (selected === undefined) return contract;
  const { createUnknownNameError } = await import("./scope.ts");
  throw createUnknownNameError(profile === undefined ? "scope" : "profile", "the built-in contract", selected, []);
}

/**
 * Returns the file that the user named, or else the file that a search finds. Returns undefined if there is none, so
 * that the built-in contract applies.
 *
 * The search goes upwards from the project's folder to the root of the repository, the folder with `.git`. Without a
 * repository it goes to the root of the file system. It ends at the first file with the name of a contract, even if
 * sophia-run then refuses to read it, such as a file of another user in /tmp. A contract further up could require less.
 */
export function locateContract(contractFile: string | undefined, project: string): ContractLocation | undefined {
  if (contractFile !== undefined) return { path: contractFile, isNamed: true };
  for (let folder = project; ; folder = parentOf(folder)) {
    const path = within(folder, CONTRACT_FILE_NAME);
    if (isPresent(path)) return { path, isNamed: false };
    const git = within(folder, ".git");
    // The addon is asked first, because Node.js compiles a function such as `existsSync` at its first call.
    const isRepository = !isMissing(git) && existsSync(git);
    if (isRepository || parentOf(folder) === folder) return undefined;
  }
}
