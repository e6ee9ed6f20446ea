/** Chooses the contract. The code that reads a file, and the built-in contract, are loaded only if they are used. */
import { type ContractSearch, findContract } from "./find.ts";
import type { Contract, ContractPart } from "./model.ts";

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
