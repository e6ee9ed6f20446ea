/** Runs sophia-run as the user `nobody`, who has no rights. Needs root. */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { copyPackage, isStandalone, sophiaRun } from "./sophia.ts";

/** The reason why tests cannot run a command as `nobody`; undefined if they can. */
export const noNobody: string | undefined =
  process.geteuid?.() === 0 && spawnSync("setpriv", ["--version"]).status === 0
    ? undefined
    : "needs root, who can become another user, and setpriv of util-linux";

/**
 * Runs sophia-run as `nobody`. It runs a copy of the package, because the repository need not be accessible to that user.
 *
 * @param through a command prefix in front of sophia-run
 */
export function sophiaAsNobody(
  args: readonly string[],
  { cwd, env = {}, through = [] }: { cwd: string; env?: NodeJS.ProcessEnv; through?: readonly string[] },
): SpawnSyncReturns<string> {
  const packageCopy = copyPackage();
  chmodSync(packageCopy, 0o755);
  const command = isStandalone ? sophiaRun : [process.execPath, "--", join(packageCopy, "bin/sophia-run")];
  const identity = ["--reuid=65534", "--regid=65534", "--clear-groups"];
  return spawnSync("setpriv", [...identity, "--", ...through, ...command, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], ...env },
    encoding: "utf8",
  });
}
