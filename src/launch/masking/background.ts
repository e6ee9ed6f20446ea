/**
 * A job in the background that writes to a terminal with `stty tostop`.
 *
 * At each attempt the kernel sends SIGTTOU to the whole process group, and performs the write once the job is in the foreground. A
 * process that ignores the signal may write anyway. In an orphaned process group (POSIX) the write fails. With masking it is this
 * process that writes to the terminal and gets the signal, in place of the program.
 */
import { sleep } from "../../system/blocking.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import { withoutListeners } from "../signals.ts";
import type { MaskingAddon } from "./masking-addon.ts";

/** The kernel stops this process within this time if a thread of it tries to write. */
const ACCESS_MS = 20;

/** Returns true if the terminal stops writers in the background (`stty tostop`). */
export function stopsWriters(addon: MaskingAddon, terminal: number): boolean {
  const [, , , stopsBackground] = addon.modesOf(terminal);
  return stopsBackground === 1;
}

/**
 * Lets the kernel stop this process by the signal that it sends for the attempt to write. A signal that this process sent to itself might
 * come too late.
 *
 * @returns true once the job was continued; false in the foreground, and if no signal came
 */
export function isStoppedByAccess(signal: NodeJS.Signals, isInFront: () => boolean): boolean {
  if (isInFront()) return false;
  const startMs = performance.now();
  withoutListeners(signal, () => sleep(ACCESS_MS));
  return isInFront() || performance.now() - startMs > 2 * ACCESS_MS;
}

/**
 * Returns true if this process's group seems orphaned: its nearest ancestor outside the group is in another session. It does not look at
 * the ancestors of other processes in the group.
 */
export function isOrphaned(): boolean {
  const ownStat = readProcessStat("self");
  let ancestor = ownStat;
  while (ancestor !== undefined && ancestor.group === ownStat?.group && ancestor.session === ownStat.session)
    ancestor = readProcessStat(ancestor.parent);
  return ancestor?.session !== ownStat?.session;
}
