/** A job in the background that writes to its terminal (`stty tostop`): the kernel sends it SIGTTOU. */
import { sleep } from "../../system/sleep.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import { withoutListeners } from "../signals.ts";
import type { RedactAddon } from "./addon.ts";

/** An access to the terminal that is going on stops this process within this time. */
const ACCESS_MS = 20;

export function stopsWriters(addon: RedactAddon, terminal: number): boolean {
  const [, , , stopsBackground] = addon.modesOf(terminal);
  return stopsBackground === 1;
}

/**
 * Lets the signal stop this process. The kernel sends it again and again until then; one sent from here might come when
 * the job was continued already.
 *
 * @returns true if the job was stopped, and was continued; false if another process has sent the signal
 */
export function isStoppedByAccess(signal: NodeJS.Signals, isInFront: () => boolean): boolean {
  if (isInFront()) return false;
  const before = performance.now();
  withoutListeners(signal, () => sleep(ACCESS_MS));
  return isInFront() || performance.now() - before > 2 * ACCESS_MS;
}

/**
 * Returns true if no process of the session can continue this process's group: an access to the terminal does not stop
 * such a group, but fails (POSIX, "orphaned process group"). Only ancestors are looked at.
 */
export function isOrphaned(): boolean {
  const own = readProcessStat("self");
  let one = own;
  while (one !== undefined && one.group === own?.group && one.session === own.session)
    one = readProcessStat(one.parent);
  return one?.session !== own?.session;
}
