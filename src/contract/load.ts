/** Which contract counts. The code that reads a file, and the built-in contract, are loaded only where they count. */
import { findContract, type Found } from "./find.ts";
import type { Contract, ContractPart } from "./model.ts";

interface ContractRequest extends ContractPart {
  readonly file?: string | undefined;
  readonly cwd: string;
  /** Result of a search from `cwd`, if there was one. */
  readonly found?: Found | undefined;
}

/**
 * The named file, else the contract that is found, else the built-in one.
 * @throws SophiaError (125): `contract-unreadable`, `contract-invalid`, `contract-profile` or `contract-scope`
 */
export async function loadContract({ file, cwd, found, profile, scope }: ContractRequest): Promise<Contract> {
  const path = file ?? (found ?? { path: findContract(cwd) }).path;
  if (path !== undefined) {
    const { loadContractFile } = await import("./file/load.ts");
    return loadContractFile(path, file === undefined ? "found" : "named", cwd, { profile, scope });
  }
  const { BUILT_IN: contract } = await import("./generated/built-in.ts");
  const wanted = profile ?? scope;
  if (wanted === undefined) return contract;
  const { unknownPart } = await import("./unknown.ts");
  throw unknownPart(profile === undefined ? "scope" : "profile", "the built-in contract", wanted, []);
}
