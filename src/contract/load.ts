/** Which contract counts. The code that reads a file is loaded only where there is one. */
import { existsSync, lstatSync, statSync } from "node:fs";
import { parentOf, within } from "../system/paths.ts";
import { CONTRACT_FILE_NAME } from "./file-name.ts";
import { builtInContract } from "./generated/built-in.ts";
import type { Contract } from "./model.ts";

/** What decides which contract counts. */
interface ContractRequest {
  /** A contract file that was named (`--contract`, `SOPHIA_CONTRACT`), relative to `cwd` or absolute. */
  readonly file?: string | undefined;
  /** Where the search starts: an absolute path. */
  readonly cwd: string;
  readonly profile?: string | undefined;
}

/**
 * Returns the contract that counts: the named file, else `sophia.contract.json` in the working directory or the
 * nearest folder above it, up to the repository's root, else the built-in contract of Sophia.
 *
 * @throws SophiaError (125): `contract-unreadable`, `contract-invalid` or `contract-profile`
 */
export async function loadContract({ file, cwd, profile }: ContractRequest): Promise<Contract> {
  const path = file ?? findContract(cwd);
  if (path !== undefined) {
    return (await import("./file/load.ts")).loadContractFile({ path, named: file !== undefined }, cwd, profile);
  }
  const contract = builtInContract();
  if (profile === undefined) return contract;
  const { unknownProfile } = await import("./profile.ts");
  throw unknownProfile("the built-in contract", profile, contract.profiles);
}

/**
 * Looks for a contract from a folder upwards. The search ends at the folder that holds `.git`, the root of the
 * repository; outside of a repository (in a container image, for instance) at the root of the file system. Above the
 * folder that it starts from, it ignores folders such as /tmp, in which anybody may put a file.
 *
 * A symlink that leads nowhere is found as well: reading it fails, whereas a contract from further up might ask for
 * less.
 */
function findContract(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = parentOf(folder)) {
    const path = within(folder, CONTRACT_FILE_NAME);
    if (isThere(path) && (folder === cwd || !isShared(folder))) return path;
    if (existsSync(within(folder, ".git")) || parentOf(folder) === folder) return undefined;
  }
}

/** Whether the folder lists the name. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // No permission to search the folder, or it is not a folder any more.
    return false;
  }
}

/** Writable by everybody and sticky. */
function isShared(folder: string): boolean {
  return ((statSync(folder, { throwIfNoEntry: false })?.mode ?? 0) & 0o1002) === 0o1002;
}
