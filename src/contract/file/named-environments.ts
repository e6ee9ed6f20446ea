/** The ESC environments that a contract names, with the file of each: who wrote it decides whether it needs consent. */
import { isInside } from "../../system/repository.ts";
import { parentOf } from "../../system/paths.ts";
import type { ContractDocument } from "../generated/document.ts";
import type { ContractEnvironment } from "../contract-model.ts";
import { lineageNamesOf, listOf, profilesOf } from "./compile.ts";

/** The file that names the environments of each profile; the empty name is that of the contract itself. */
export type EnvironmentFiles = ReadonlyMap<string, string>;

const ITSELF = "";

/** Adds the environments that a file names itself to those of the files that it extends. */
export function withFile(base: EnvironmentFiles = new Map(), own: ContractDocument, path: string): EnvironmentFiles {
  const files = new Map(base);
  if (own.environment !== undefined) files.set(ITSELF, path);
  for (const [name, { environment }] of profilesOf(own)) if (environment !== undefined) files.set(name, path);
  return files;
}

/**
 * Returns the environments of the profile: its own, else those of the nearest profile that it extends, else the contract's.
 *
 * @param named the contract that the user has named, if one was
 */
export function environmentOf(
  document: ContractDocument,
  profile: string | undefined,
  files: EnvironmentFiles,
  named: string | undefined,
): ContractEnvironment | undefined {
  const profiles = profilesOf(document);
  const owner =
    profile === undefined
      ? undefined
      : lineageNamesOf(profiles, profile).findLast((name) => profiles.get(name)?.environment !== undefined);
  const names = listOf(owner === undefined ? document.environment : profiles.get(owner)?.environment);
  const file = files.get(owner ?? ITSELF);
  if (names.length === 0 || file === undefined) return undefined;
  return { names, file, isFound: named === undefined || !isInside(file, parentOf(named)) };
}
