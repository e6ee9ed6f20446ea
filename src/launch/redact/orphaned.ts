import { readProcessStat } from "../proc/process-stat.ts";

/**
 * Nobody is left in the session who could continue this process's group, which an access to the terminal from the
 * background does not stop then, but fails (POSIX, "orphaned process group"). Asked of its ancestors alone.
 */
export function isOrphaned(): boolean {
  const own = readProcessStat("self");
  let one = own;
  while (one !== undefined && one.group === own?.group && one.session === own.session)
    one = readProcessStat(one.parent);
  return one?.session !== own?.session;
}
