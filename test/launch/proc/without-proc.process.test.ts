import { execFileSync } from "node:child_process";
import { chmodSync, closeSync, fstatSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openDescriptors } from "../../../src/launch/proc/descriptors.ts";
import { selectByStats, selectInheritedWithoutProc } from "../../../src/launch/proc/without-proc.ts";
import { notLinux } from "../../helpers/skip.ts";
import { folder } from "../../helpers/sophia.ts";

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

test("without /proc the open descriptors of this process are selected, without the standard streams", ({ skip }) => {
  skip(notLinux !== undefined, notLinux);
  const path = join(folder(), "pipe");
  execFileSync("mkfifo", [path]);
  const openUntilEnd = (file: string): number => {
    const descriptor = openSync(file, "r+");
    onTestFinished(() => closeSync(descriptor));
    return descriptor;
  };
  const pipe = openUntilEnd(path);
  // fstat(2) shows a pipe without permissions as it shows a kqueue.
  chmodSync(path, 0);
  // Node.js gives a file the lowest free number, which may be below the pipe.
  for (let opened = 0; opened < 20; opened++) openUntilEnd("/dev/null");
  const numbers = openDescriptors("self")
    .map(({ number }) => number)
    .toSorted((first, second) => first - second);
  const below = numbers.filter((number) => number > 2 && number < pipe);
  const above = numbers.filter((number) => number > pipe && !fstatSync(number).isFIFO());
  expect(above.length).toBeGreaterThan(0);
  expect(selectInheritedWithoutProc(false)).toEqual({ numbers: [...below, ...above], doubtful: above });
  expect(selectInheritedWithoutProc(true)).toEqual({ numbers: below, doubtful: [] });
});
