import { resolve } from "node:path";
import { declarationOf } from "../contract/check-contract.ts";
import { credentialOf } from "../contract/looks-secret.ts";
import type { Contract } from "../contract/contract-model.ts";
import { isOfLine, type Environment, type Notice } from "../core/model.ts";
import type { DotenvReading } from "../sources/dotenv/index.ts";
import { isReachable } from "../system/reachable.ts";

/** Returns notices for world-readable files with a secret; none on a runner that GitHub hosts: only the job uses it. */
export function exposedNotices(
  { files, layers }: Pick<DotenvReading, "files" | "layers">,
  contract: Contract,
  environment: Environment,
  cwd: string,
): readonly Notice[] {
  const exposed = new Set(files.filter((file) => file.exposed === true).map(({ path }) => path));
  if (exposed.size === 0 || isOfOneJob(environment)) return [];
  const isSecret = (name: string, value: string): boolean =>
    name === "ESC_TOKEN" ||
    declarationOf(contract, name)?.secret === true ||
    credentialOf(contract, name, value) !== undefined;
  const reported = new Set<string>();
  for (const layer of layers) {
    for (const { name, value, origin } of layer.variables) {
      const isIn = isOfLine(origin) && exposed.has(origin.file);
      if (isIn && value !== "" && isSecret(name, value)) reported.add(origin.file);
    }
  }
  return Array.from(reported)
    .filter((file) => isReachable(resolve(cwd, file)))
    .map((file) => ({ kind: "exposed", file }));
}

function isOfOneJob(environment: Environment): boolean {
  return environment.get("GITHUB_ACTIONS") === "true" && environment.get("RUNNER_ENVIRONMENT") !== "self-hosted";
}
