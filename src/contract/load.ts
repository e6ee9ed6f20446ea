/** Which contract counts: finding it. Reading a file is another module's, loaded only where there is a file. */
import { existsSync, lstatSync, statSync } from "node:fs";
import { parentOf, within } from "../system/paths.ts";
import { CONTRACT_FILE_NAME } from "./file-name.ts";
import { builtInContract } from "./generated/built-in.ts";
import type { Contract } from "./model.ts";

/** What `loadContract` goes by. */
export interface ContractRequest {
  /** A contract file that was named (`--contract`, `SOPHIA_CONTRACT`), relative to `cwd` or absolute. */
  readonly file?: string | undefined;
  /** Where the search begins: an absolute path. */
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
  const path = file === undefined ? findContract(cwd) : process.getBuiltinModule("node:path").resolve(cwd, file);
  if (path !== undefined) {
    return (await import("./file/load.ts")).loadContractFile({ path, named: file !== undefined }, cwd, profile);
  }
  const contract = builtInContract();
  if (profile === undefined) return contract;
  const { unknownProfile } = await import("./profile.ts");
  throw unknownProfile("the built-in contract", profile, contract.profiles);
}

/**
 * Looks for a contract from a folder upwards. The search ends with the folder that holds `.git`, the root of the
 * repository; outside of a repository (in an image, say) with the root of the file system. Above the folder it
 * starts from, it passes over folders such as /tmp, in which anybody may put a file.
 *
 * A link that leads nowhere is found, too: reading it fails, whereas another contract in its place might ask for less.
 */
export function findContract(cwd: string): string | undefined {
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
    // The folder may not be searched, or is no folder any more.
    return false;
  }
}

/** Writable by everybody and sticky. */
function isShared(folder: string): boolean {
  return ((statSync(folder, { throwIfNoEntry: false })?.mode ?? 0) & 0o1002) === 0o1002;
}
