/**
 * A job in the background that writes to a terminal with `stty tostop`. The kernel sends SIGTTOU to its whole group at each
 * attempt, and performs the write once the job is in the foreground. A process that ignores the signal may write anyway. In
 * an orphaned process group (POSIX) the write fails. With masking this process writes, and gets the signal.
 */
import { sleep } from "../../system/blocking.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import { withoutListeners } from "../signals.ts";
import type { MaskingAddon } from "./masking-addon.ts";

/** An attempt to write that is under way stops this process within this time. */
const ACCESS_MS = 20;

/** Returns true if the terminal stops writers in the background (`stty tostop`). */
export function stopsWriters(addon: MaskingAddon, terminal: number): boolean {
  const [, , , stopsBackground] = addon.modesOf(terminal);
  return stopsBackground === 1;
}

/** Lets the kernel's next signal stop this process; one sent from here might come late. @returns false if none came */
export function isStoppedByAccess(signal: NodeJS.Signals, isInFront: () => boolean): boolean {
  if (isInFront()) return false;
  const before = performance.now();
  withoutListeners(signal, () => sleep(ACCESS_MS));
  return isInFront() || performance.now() - before > 2 * ACCESS_MS;
}

/** Returns true if this process's group seems orphaned. Only ancestors are looked at. */
export function isOrphaned(): boolean {
  const ownStat = readProcessStat("self");
  let ancestor = ownStat;
  while (ancestor !== undefined && ancestor.group === ownStat?.group && ancestor.session === ownStat.session)
    ancestor = readProcessStat(ancestor.parent);
  return ancestor?.session !== ownStat?.session;
}
