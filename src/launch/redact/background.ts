/**
 * A job in the background that writes to a terminal with `stty tostop`. The kernel sends SIGTTOU to its whole group at each
 * attempt, and performs the write once the job is in the foreground. A process that ignores the signal may write anyway. In
 * an orphaned process group, which no shell can continue, the write fails (POSIX, "orphaned process group"). With masking it
 * is this process that writes to the terminal and gets the signal, in place of the program.
 */
import { sleep } from "../../system/sleep.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import { withoutListeners } from "../signals.ts";
import type { RedactAddon } from "./addon.ts";

/** An attempt to write that is under way stops this process within this time. */
const ACCESS_MS = 20;

export function stopsWriters(addon: RedactAddon, terminal: number): boolean {
  const [, , , stopsBackground] = addon.modesOf(terminal);
  return stopsBackground === 1;
}

/**
 * Removes the listeners for a moment: the kernel's next signal stops this process. A signal sent from here might come late.
 *
 * @returns true if the job was stopped and continued; false if another process has sent the signal
 */
export function isStoppedByAccess(signal: NodeJS.Signals, isInFront: () => boolean): boolean {
  if (isInFront()) return false;
  const before = performance.now();
  withoutListeners(signal, () => sleep(ACCESS_MS));
  return isInFront() || performance.now() - before > 2 * ACCESS_MS;
}

/** Returns true if this process's group seems orphaned. Only ancestors are looked at. */
export function isOrphaned(): boolean {
  const own = readProcessStat("self");
  let one = own;
  while (one !== undefined && one.group === own?.group && one.session === own.session)
    one = readProcessStat(one.parent);
  return one?.session !== own?.session;
}
