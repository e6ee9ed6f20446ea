/** Finds and chooses the contract. The code that reads a file, and the built-in contract, are loaded only if they are used. */
import { existsSync } from "node:fs";
import { isMissing } from "../system/addon/addon.ts";
import { isThere, parentOf, within } from "../system/paths.ts";
import { type Contract, CONTRACT_FILE_NAME, type ContractPart } from "./model.ts";

/** The outcome of `findContract`, for callers that have searched already. */
export interface ContractSearch {
  readonly path: string | undefined;
}

interface ContractRequest extends ContractPart {
  readonly contractFile?: string | undefined;
  readonly cwd: string;
  /** The result of `findContract(cwd)`, if the caller has searched. */
  readonly found?: ContractSearch | undefined;
}

/** Loads the named file, else the contract that is found, else the built-in one. @throws SophiaError (125) */
export async function loadContract({ contractFile, cwd, found, profile, scope }: ContractRequest): Promise<Contract> {
  const path = contractFile ?? (found ?? { path: findContract(cwd) }).path;
  if (path !== undefined) {
    const { loadContractFile } = await import("./file/load.ts");
    return loadContractFile(path, contractFile === undefined, cwd, { profile, scope });
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
export function findContract(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = parentOf(folder)) {
    const path = within(folder, CONTRACT_FILE_NAME);
    if (!isMissing(path) && isThere(path)) return path;
    const git = within(folder, ".git");
    if ((!isMissing(git) && existsSync(git)) || parentOf(folder) === folder) return undefined;
  }
}
