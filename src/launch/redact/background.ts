import { sleep } from "../../system/sleep.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import { withoutListeners } from "../signals.ts";

/** How long an access to the terminal that is going on has to stop this process. */
const ACCESS_MS = 20;

/**
 * Showing what the program wrote in the background (`stty tostop`) brings SIGTTOU to the whole job again and again, until
 * this process stops: as soon as nothing listens. It sends none of its own, which might come when the job was continued already.
 *
 * @param isInFront whether the job is in the foreground now
 * @returns whether the job was stopped, and was continued; it was not where somebody has sent the signal
 */
export function isStoppedByAccess(signal: NodeJS.Signals, isInFront: () => boolean): boolean {
  if (isInFront()) return false;
  const before = performance.now();
  withoutListeners(signal, () => sleep(ACCESS_MS));
  return isInFront() || performance.now() - before > 2 * ACCESS_MS;
}

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
