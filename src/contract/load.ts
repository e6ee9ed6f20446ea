/** Which contract counts. The code that reads a file, and the built-in contract, are loaded only where they count. */
import { findContract, type Found } from "./find.ts";
import type { Contract } from "./model.ts";

/** What decides which contract counts. */
interface ContractRequest {
  /** A contract file that was named (`--contract`, `SOPHIA_CONTRACT`), relative to `cwd` or absolute. */
  readonly file?: string | undefined;
  /** Where the search starts: an absolute path. */
  readonly cwd: string;
  /** What a search from `cwd` has found, where there was one already. */
  readonly found?: Found | undefined;
  readonly profile?: string | undefined;
  readonly scope?: string | undefined;
}

/**
 * Returns the contract that counts: the named file, else `sophia.contract.json` in the working directory or the
 * nearest folder above it, up to the repository's root, else the built-in contract of Sophia.
 *
 * @throws SophiaError (125): `contract-unreadable`, `contract-invalid`, `contract-profile` or `contract-scope`
 */
export async function loadContract({ file, cwd, found, profile, scope }: ContractRequest): Promise<Contract> {
  const path = file ?? (found ?? { path: findContract(cwd) }).path;
  if (path !== undefined) {
    return (await import("./file/load.ts")).loadContractFile({ path, named: file !== undefined }, cwd, {
      profile,
      scope,
    });
  }
  const { BUILT_IN: contract } = await import("./generated/built-in.ts");
  const wanted = profile ?? scope;
  if (wanted === undefined) return contract;
  const { unknownPart } = await import("./unknown.ts");
  throw unknownPart(profile === undefined ? "scope" : "profile", "the built-in contract", wanted, []);
}
