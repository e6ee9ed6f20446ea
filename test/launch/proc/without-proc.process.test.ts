import { expect, test } from "vitest";
import { selectByStats } from "../../../src/launch/proc/without-proc.ts";

/** The types of files as fstat(2) of macOS returns them (XNU: kqueue_stat, pipe_stat). */
const KQUEUE = { mode: 0o010000, isFIFO: () => true };
const PIPE = { mode: 0o010660, isFIFO: () => true };
const FILE = { mode: 0o100644, isFIFO: () => false };
const SOCKET = { mode: 0o140666, isFIFO: () => false };

/** Returns descriptors with the numbers from 3 on. */
function descriptorsOf(...stats: readonly (typeof KQUEUE)[]) {
  return stats.map((fileStats, index) => ({ number: index + 3, stats: fileStats }));
}

test.each([
  ["none if all are from the first event loop on", descriptorsOf(KQUEUE, PIPE, PIPE, KQUEUE), false, [], []],
  ["all that are below the first event loop", descriptorsOf(PIPE, PIPE, FILE, KQUEUE, PIPE), false, [3, 4, 5], []],
  [
    "those above the first event loop that are no pipes, as doubtful ones",
    descriptorsOf(KQUEUE, PIPE, PIPE, SOCKET, FILE),
    false,
    [6, 7],
    [6, 7],
  ],
  [
    "only those below the first event loop if other code has run",
    descriptorsOf(FILE, KQUEUE, PIPE, SOCKET),
    true,
    [3],
    [],
  ],
  ["none if there is no event loop", descriptorsOf(PIPE, FILE), false, [], []],
])(
  "without /proc these descriptors are selected as the caller's: %s",
  (_, descriptors, mayHaveOthers, numbers, doubtful) => {
    expect(selectByStats(descriptors, mayHaveOthers)).toEqual({ numbers, doubtful });
  },
);
