import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { copyOfPackage, isStandalone, sophiaRun } from "./sophia.ts";

/** Why a test cannot run something as a user without rights; undefined where it can. */
export const noNobody: string | undefined =
  process.geteuid?.() === 0 && spawnSync("setpriv", ["--version"]).status === 0
    ? undefined
    : "needs root, who can become somebody else, and setpriv of util-linux";

/** Runs sophia-run as a user without rights, to whom the package need not be accessible. */
export function sophiaAsNobody(
  args: readonly string[],
  { cwd, env = {}, through = [] }: { cwd: string; env?: NodeJS.ProcessEnv; through?: readonly string[] },
): SpawnSyncReturns<string> {
  const place = copyOfPackage();
  chmodSync(place, 0o755);
  const own = isStandalone ? sophiaRun : [process.execPath, "--", join(place, "bin/sophia-run")];
  const identity = ["--reuid=65534", "--regid=65534", "--clear-groups"];
  return spawnSync("setpriv", [...identity, "--", ...through, ...own, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], ...env },
    encoding: "utf8",
  });
}
