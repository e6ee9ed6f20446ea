import { spawnSync } from "node:child_process";

/** Returns a prefix that simulates a system without /proc by an empty folder over it; undefined without mount namespaces. */
export function withoutProc(): readonly [string, ...string[]] | undefined {
  const hide = ["sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"] as const;
  return ([[], ["--user", "--map-root-user"]] as const)
    .map((user) => ["unshare", "--mount", ...user, ...hide] as const)
    .find(([file, ...args]) => spawnSync(file, [...args, "true"]).status === 0);
}
