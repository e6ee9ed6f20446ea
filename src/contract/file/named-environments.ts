/**
 * Finds the environments of Pulumi ESC that a contract names, and the contract file that names them. load-file.ts
 * imports this only for a contract with such names. The user must consent to a file that the user has not named: a
 * cloned repository could name any environment that the user's token opens.
 *
 *     { "environment": "acme/shop/dev", "profiles": { "production": { "environment": "acme/shop/production" } } }
 */
import { isInside } from "../../system/repository.ts";
import { parentOf } from "../../system/paths.ts";
import type { ContractDocument } from "../generated/document.ts";
import type { ContractEnvironment } from "../contract-model.ts";
import { collectLineageNames, toList, profilesOf } from "./compile.ts";

/**
 * The files that name environments, by profile. The key {@link WITHOUT_PROFILE} is for the contract outside of
 * profiles.
 */
export type EnvironmentFiles = ReadonlyMap<string, string>;

const WITHOUT_PROFILE = "";

/**
 * Adds a file for the profiles whose environments it names. It replaces the files that it extends.
 *
 * @param document the document of the file, before it is merged with those that it extends
 * @param path the path of the file
 */
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
 * Finds the environments for a profile: those that it names itself, or else those of a profile that it extends, or else
 * those that the contract names outside of profiles.
 *
 * @param namedContract the path of the contract if the user named it; undefined if sophia-run found it
 */
export function findContractEnvironment(
  document: ContractDocument,
  profile: string | undefined,
  files: EnvironmentFiles,
  namedContract: string | undefined,
): ContractEnvironment | undefined {
  const profiles = profilesOf(document);
  const lineage = profile === undefined ? [] : collectLineageNames(profiles, profile);
  const namingProfile = lineage.findLast((name) => profiles.get(name)?.environment !== undefined);
  const environment = namingProfile === undefined ? document.environment : profiles.get(namingProfile)?.environment;
  const names = toList(environment);
  const file = files.get(namingProfile ?? WITHOUT_PROFILE);
  if (names.length === 0 || file === undefined) return undefined;
  // A user who names a contract consents to this file and to those in its folder and below, which are of the same
  // project.
  const isFound = namedContract === undefined || !isInside(file, parentOf(namedContract));
  return { names, file, isFound };
}
