import { expect, test } from "vitest";
import { selectByStats } from "../../../src/launch/proc/without-proc.ts";

/** As fstat(2) of macOS shows them (XNU: kqueue_stat, pipe_stat). */
const KQUEUE = { mode: 0o010000, isFIFO: () => true };
const PIPE = { mode: 0o010660, isFIFO: () => true };
const FILE = { mode: 0o100644, isFIFO: () => false };
const SOCKET = { mode: 0o140666, isFIFO: () => false };

function open(...stats: readonly (typeof KQUEUE)[]) {
  return stats.map((one, index) => ({ number: index + 3, stats: one }));
}

test.each([
  ["none", open(KQUEUE, PIPE, PIPE, KQUEUE), false, [], []],
  ["all below the first event loop", open(PIPE, PIPE, FILE, KQUEUE, PIPE), false, [3, 4, 5], []],
  ["what is no pipe above it", open(KQUEUE, PIPE, PIPE, SOCKET, FILE), false, [6, 7], [6, 7]],
  ["only what is below where other code ran", open(FILE, KQUEUE, PIPE, SOCKET), true, [3], []],
  ["unknown without an event loop", open(PIPE, FILE), false, [], []],
])("%s", (_, descriptors, mayHaveOthers, numbers, doubtful) => {
  expect(selectByStats(descriptors, mayHaveOthers)).toEqual({ numbers, doubtful });
});
