/**
 * Finds the descriptors that this process has inherited from its parent process, on macOS and the BSDs, which have no /proc. On these
 * systems Node.js opens a kqueue before anything else, so every lower descriptor was inherited.
 */
import { fstatSync, readdirSync, type Stats } from "node:fs";
import { attempt } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import type { Inherited } from "./descriptors.ts";

/** The permission bits of a file's mode. */
const PERMISSIONS = 0o777;

/**
 * Returns the inherited descriptors from 3 on. Above the first kqueue of Node.js these are the descriptors that are neither pipes nor
 * kqueues, which Node.js itself opens.
 *
 * @param otherCodeMayOpenFiles true if code other than Node.js may have opened descriptors; then none above the kqueue is returned
 */
export function selectInheritedWithoutProc(otherCodeMayOpenFiles: boolean): Inherited {
  // It is not known which descriptors Bun opens for itself, so none above its kqueue is passed on.
  return selectByStats(listAboveStandardStreams(), otherCodeMayOpenFiles || isBun);
}

/**
 * Selects descriptors by what fstat(2) reports of them.
 *
 * @param openDescriptors from 3 on, in ascending order
 */
export function selectByStats(
  openDescriptors: readonly { readonly number: number; readonly stats: Pick<Stats, "isFIFO" | "mode"> }[],
  otherCodeMayOpenFiles: boolean,
): Inherited {
  const kqueue = openDescriptors.find(({ stats }) => isKqueue(stats))?.number;
  // Without a kqueue this is another system, on which nothing tells inherited descriptors from others.
  if (kqueue === undefined) return { numbers: [], doubtful: [] };
  const below = openDescriptors.filter(({ number }) => number < kqueue);
  // isFIFO() is also true for kqueues.
  const above = openDescriptors.filter(({ number, stats }) => number > kqueue && !stats.isFIFO());
  const doubtful = otherCodeMayOpenFiles ? [] : above.map(({ number }) => number);
  return { numbers: [...below.map(({ number }) => number), ...doubtful], doubtful };
}

/** Returns true for a kqueue. fstat(2) shows it as a FIFO without permissions (kqueue_stat of XNU and FreeBSD). */
function isKqueue(stats: Pick<Stats, "isFIFO" | "mode">): boolean {
  return stats.isFIFO() && (stats.mode & PERMISSIONS) === 0;
}

/** Lists the open descriptors from 3 on; none if the system has no /dev/fd. */
function listAboveStandardStreams(): readonly { readonly number: number; readonly stats: Stats }[] {
  const entries = attempt(() => readdirSync("/dev/fd")) ?? [];
  const numbers = entries.map(Number).filter((number) => number > 2);
  return (
    numbers
      .toSorted((one, other) => one - other)
      // readdirSync has listed its own descriptor, too. It is closed by now, so fstat fails for it, and it is dropped.
      .flatMap((number) => attempt(() => ({ number, stats: fstatSync(number) })) ?? [])
  );
}
