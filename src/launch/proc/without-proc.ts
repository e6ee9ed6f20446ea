/**
 * Finds the descriptors that the caller has passed on, on macOS and the BSDs, which have no /proc. There Node.js opens a kqueue first, so
 * that all descriptors with a lower number are the caller's.
 */
import { fstatSync, readdirSync, type Stats } from "node:fs";
import { attempt } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import type { Inherited } from "./descriptors.ts";

const PERMISSIONS = 0o777;

/**
 * Returns the caller's descriptors: all below Node's first kqueue, and those above it that are neither pipes nor kqueues.
 *
 * @param mayHaveOthers true if other code in this process may have opened descriptors: then none above the kqueue is returned
 */
export function inheritedWithoutProc(mayHaveOthers: boolean): Inherited {
  return selectByStats(listFrom3(), mayHaveOthers || isBun);
}

/** Selects descriptors by what fstat(2) says of them. @param open in ascending order */
export function selectByStats(
  open: readonly { readonly number: number; readonly stats: Pick<Stats, "isFIFO" | "mode"> }[],
  mayHaveOthers: boolean,
): Inherited {
  const firstQueue = open.find(({ stats }) => isQueue(stats))?.number;
  // On another system nothing is known.
  if (firstQueue === undefined) return { numbers: [], doubtful: [] };
  const below = open.filter(({ number }) => number < firstQueue);
  const above = mayHaveOthers ? [] : open.filter(({ number, stats }) => number > firstQueue && !stats.isFIFO());
  const doubtful = above.map(({ number }) => number);
  return { numbers: [...below.map(({ number }) => number), ...doubtful], doubtful };
}

/** Returns true for a kqueue. fstat(2) shows it as a FIFO without permissions (kqueue_stat of XNU and FreeBSD). */
function isQueue(stats: Pick<Stats, "isFIFO" | "mode">): boolean {
  return stats.isFIFO() && (stats.mode & PERMISSIONS) === 0;
}

function listFrom3(): readonly { readonly number: number; readonly stats: Stats }[] {
  const numbers = (attempt(() => readdirSync("/dev/fd")) ?? []).map(Number).filter((number) => number > 2);
  return (
    numbers
      .toSorted((one, other) => one - other)
      // The descriptor by which the folder was read is closed by now.
      .flatMap((number) => attempt(() => ({ number, stats: fstatSync(number) })) ?? [])
  );
}
