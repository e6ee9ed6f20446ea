// Starts programs without the descriptors that this process has inherited, because a start's work depends on them.
import { spawnSync } from "node:child_process";

/** Closes all descriptors from 3, except bash's own of the script, which is 255. */
const CLOSE_AND_EXECUTE = `for path in /proc/self/fd/*; do
  descriptor=\${path##*/}
  if ((descriptor > 2 && descriptor != 255)); then eval "exec $descriptor>&-"; fi
done
exec "$@"`;

/**
 * Runs a command whose only descriptors are its standard streams, of which it cannot read the first, and returns its result.
 *
 * @param {readonly [string, ...string[]]} command
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} surroundings of the command
 * @returns {import("node:child_process").SpawnSyncReturns<string>}
 */
export function runWithoutDescriptors(command, { cwd, env }) {
  return spawnSync("bash", ["-c", CLOSE_AND_EXECUTE, "bash", ...command], {
    cwd,
    env,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 60_000,
  });
}
