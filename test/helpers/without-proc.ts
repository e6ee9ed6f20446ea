/** Simulates a system without /proc. */
import { spawnSync } from "node:child_process";

/** Returns a command prefix that mounts an empty folder over /proc; undefined if mount namespaces are not allowed. */
export function withoutProc(): readonly [string, ...string[]] | undefined {
  const hide = ["sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"] as const;
  return ([[], ["--user", "--map-root-user"]] as const)
    .map((user) => ["unshare", "--mount", ...user, ...hide] as const)
    .find(([file, ...args]) => spawnSync(file, [...args, "true"]).status === 0);
}
