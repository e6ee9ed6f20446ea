/** Inherited descriptors on macOS and the BSDs, which have no /proc. */
import { fstatSync, readdirSync, type Stats } from "node:fs";
import { attempt } from "../../system/errors.ts";
import { isBun } from "../../system/runtime.ts";
import type { Inherited } from "./descriptors.ts";

const PERMISSIONS = 0o777;

/** Returns the caller's descriptors: all below Node's first kqueue; above, without other code, all but pipes and kqueues. */
export function inheritedWithoutProc(mayHaveOthers: boolean): Inherited {
  return selectByStats(openFrom3(), mayHaveOthers || isBun);
}

/** @param open in ascending order */
export function selectByStats(
  open: readonly { readonly number: number; readonly stats: Pick<Stats, "isFIFO" | "mode"> }[],
  mayHaveOthers: boolean,
): Inherited {
  const queue = open.find(({ stats }) => isQueue(stats))?.number;
  // An unknown system has no kqueue.
  if (queue === undefined) return { numbers: [], doubtful: [] };
  const below = open.filter(({ number }) => number < queue);
  const above = mayHaveOthers ? [] : open.filter(({ number, stats }) => number > queue && !stats.isFIFO());
  const doubtful = above.map(({ number }) => number);
  return { numbers: [...below.map(({ number }) => number), ...doubtful], doubtful };
}

/** Returns true for a kqueue: fstat(2) shows a FIFO without permissions (kqueue_stat of XNU and FreeBSD). */
function isQueue(stats: Pick<Stats, "isFIFO" | "mode">): boolean {
  return stats.isFIFO() && (stats.mode & PERMISSIONS) === 0;
}

function openFrom3(): readonly { readonly number: number; readonly stats: Stats }[] {
  const numbers = (attempt(() => readdirSync("/dev/fd")) ?? []).map(Number).filter((number) => number > 2);
  return numbers
    .toSorted((a, b) => a - b)
    .flatMap((number) => attempt(() => ({ number, stats: fstatSync(number) })) ?? []); // closed: the folder's own descriptor
}
