/**
 * Finds the ESC environments that a contract names, and the file that names them. This file decides whether the user must
 * consent: a cloned repository could name any environment that the user's token opens.
 *
 *     { "environment": "acme/shop/dev", "profiles": { "production": { "environment": "acme/shop/production" } } }
 */
import { isInside } from "../../system/repository.ts";
import { parentOf } from "../../system/paths.ts";
import type { ContractDocument } from "../generated/document.ts";
import type { ContractEnvironment } from "../contract-model.ts";
import { lineageNamesOf, listOf, profilesOf } from "./compile.ts";

/** By the name of each profile, the file that names its environments. `WITHOUT_PROFILE` stands for the contract itself. */
export type EnvironmentFiles = ReadonlyMap<string, string>;

const WITHOUT_PROFILE = "";

/** Adds a file for the environments that it names, in place of files that it extends. */
export function addEnvironmentFile(
  baseFiles: EnvironmentFiles = new Map(),
  document: ContractDocument,
  path: string,
): EnvironmentFiles {
  const files = new Map(baseFiles);
  if (document.environment !== undefined) files.set(WITHOUT_PROFILE, path);
  for (const [name, { environment }] of profilesOf(document)) if (environment !== undefined) files.set(name, path);
  return files;
}

/**
 * Finds the environments of the profile: those that it names itself; otherwise those of the nearest profile that it
 * extends; otherwise those of the contract.
 *
 * @param namedContract the path of the contract if the user named it
 */
export function findContractEnvironment(
  document: ContractDocument,
  profile: string | undefined,
  files: EnvironmentFiles,
  namedContract: string | undefined,
): ContractEnvironment | undefined {
  const profiles = profilesOf(document);
  const lineage = profile === undefined ? [] : lineageNamesOf(profiles, profile);
  const namingProfile = lineage.findLast((name) => profiles.get(name)?.environment !== undefined);
  const environment = namingProfile === undefined ? document.environment : profiles.get(namingProfile)?.environment;
  const names = listOf(environment);
  const file = files.get(namingProfile ?? WITHOUT_PROFILE);
  if (names.length === 0 || file === undefined) return undefined;
  // A user who named a contract consents to the files beside and below it, which are of the same project.
  const isFound = namedContract === undefined || !isInside(file, parentOf(namedContract));
  return { names, file, isFound };
}
