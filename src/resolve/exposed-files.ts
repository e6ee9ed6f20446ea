/** Warns about `.env` files with secrets that other users of the machine can read. Loaded only if a file is world-readable. */
import { resolve } from "node:path";
import { declarationOf } from "../contract/check-contract.ts";
import { describeVariableCredential } from "../contract/looks-secret.ts";
import type { Contract } from "../contract/contract-model.ts";
import { isLineLocation, type Environment, type Notice } from "../core/model.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import { isReachableByOthers } from "../system/reachable.ts";

/**
 * Returns a notice for each world-readable file with a secret. On a runner that GitHub hosts there are none, because only one
 * job uses that machine.
 */
export function exposedNotices(
  { files, layers }: Pick<DotenvReading, "files" | "layers">,
  contract: Contract,
  environment: Environment,
  cwd: string,
): readonly Notice[] {
  const exposed = new Set(files.filter((file) => file.exposed === true).map(({ path }) => path));
  if (exposed.size === 0 || isHostedByGitHub(environment)) return [];
  const isSecret = (name: string, value: string): boolean =>
    name === "ESC_TOKEN" ||
    declarationOf(contract, name)?.secret === true ||
    describeVariableCredential(contract, name, value) !== undefined;
  const filesWithSecrets = new Set<string>();
  for (const layer of layers) {
    for (const { name, value, origin } of layer.variables) {
      if (!isLineLocation(origin) || !exposed.has(origin.file)) continue;
      if (value !== "" && isSecret(name, value)) filesWithSecrets.add(origin.file);
    }
  }
  return Array.from(filesWithSecrets)
    .filter((file) => isReachableByOthers(resolve(cwd, file)))
    .map((file) => ({ kind: "exposed", file }));
}

function isHostedByGitHub(environment: Environment): boolean {
  return environment.get("GITHUB_ACTIONS") === "true" && environment.get("RUNNER_ENVIRONMENT") !== "self-hosted";
}
