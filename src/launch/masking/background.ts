/**
 * Lets a job in the background write to a terminal with `stty tostop` as it would without masking.
 *
 * At each attempt to write, the kernel sends SIGTTOU to the whole process group, and performs the write once the job is in the
 * foreground. A process that ignores the signal may write anyway. In an orphaned process group (POSIX) the write fails. With
 * masking it is this process that writes to the terminal and gets the signal, in place of the program.
 */
import { sleep } from "../../system/blocking.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import { callWithoutListeners } from "../signals.ts";
import type { MaskingAddon } from "./masking-addon.ts";

/** If a thread of this process tries to write from the background, the kernel stops this process within this time. */
const ACCESS_MS = 20;

/** Returns true if the terminal stops writers in the background (`stty tostop`). */
export function stopsWriters(addon: MaskingAddon, terminal: number): boolean {
  const [, , , stopsBackground] = addon.modesOf(terminal);
  return stopsBackground === 1;
}

/**
 * Waits until the kernel stops this process by the signal that the kernel sends for the attempt to write. If this process sent the
 * signal to itself instead, the signal might come too late.
 *
 * @returns true once the job was continued; false in the foreground, and if no signal came
 */
export function isStoppedByAccess(signal: NodeJS.Signals, isForeground: () => boolean): boolean {
  if (isForeground()) return false;
  const startMs = performance.now();
  callWithoutListeners(signal, () => sleep(ACCESS_MS));
  // A job that was continued in the background was stopped for longer than the sleep alone takes.
  return isForeground() || performance.now() - startMs > 2 * ACCESS_MS;
}

/**
 * Returns true if this process's group seems orphaned: the nearest ancestor of this process outside the group is in another
 * session. The ancestors of other processes in the group, which POSIX also counts, are not examined.
 */
export function isOrphaned(): boolean {
  const ownStat = readProcessStat("self");
  let ancestor = ownStat;
  while (ancestor !== undefined && ancestor.group === ownStat?.group && ancestor.session === ownStat.session) {
    ancestor = readProcessStat(ancestor.parent);
  }
  return ancestor?.session !== ownStat?.session;
}
