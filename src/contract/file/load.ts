/** From a contract file to the contract that counts. */
import { resolve } from "node:path";
import type { Contract, ContractPart } from "../model.ts";
import { compileContract, profilesOf } from "./compile.ts";
import { readDocument } from "./document.ts";
import { shownPath } from "./text.ts";

/** @throws SophiaError (125): `contract-unreadable`, `contract-invalid`, `contract-profile` or `contract-scope` */
export async function loadContractFile(
  file: string,
  reason: "named" | "found",
  cwd: string,
  { profile, scope }: ContractPart,
): Promise<Contract> {
  const path = resolve(cwd, file);
  const { document, compilePattern } = await readDocument(path, reason, cwd);
  const profiles = profilesOf(document);
  if (profile !== undefined && !profiles.has(profile)) {
    throw (await import("../unknown.ts")).unknownPart("profile", shownPath(path, cwd), profile, [...profiles.keys()]);
  }
  const contract = compileContract(document, { kind: "file", path }, profile, compilePattern);
  if (scope === undefined) return contract;
  return (await import("../scope.ts")).inScope(contract, scope, shownPath(path, cwd));
}
