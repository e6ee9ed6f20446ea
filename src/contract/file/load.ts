/** From a contract file to the contract that counts. */
import { resolve } from "node:path";
import type { Contract } from "../model.ts";
import { compileContract, profilesOf } from "./compile.ts";
import { readDocument } from "./document.ts";
import { shownPath } from "./text.ts";

/** A contract file. */
interface ContractFile {
  /** Absolute, or relative to the working directory. */
  readonly path: string;
  /** Whether somebody asked for it; else it was found. */
  readonly named: boolean;
}

/**
 * Reads, validates and compiles a contract file.
 *
 * @param cwd messages name the file relative to it
 * @throws SophiaError (125): `contract-unreadable`, `contract-invalid`, `contract-profile` or `contract-scope`
 */
export async function loadContractFile(
  file: ContractFile,
  cwd: string,
  { profile, scope }: { readonly profile?: string | undefined; readonly scope?: string | undefined },
): Promise<Contract> {
  const path = resolve(cwd, file.path);
  const { document, compilePattern } = await readDocument(path, file.named ? "named" : "found", cwd);
  const profiles = profilesOf(document);
  if (profile !== undefined && !profiles.has(profile)) {
    throw (await import("../unknown.ts")).unknownPart("profile", shownPath(path, cwd), profile, [...profiles.keys()]);
  }
  const contract = compileContract(document, { kind: "file", path }, profile, compilePattern);
  if (scope === undefined) return contract;
  return (await import("../scope.ts")).inScope(contract, scope, shownPath(path, cwd));
}
