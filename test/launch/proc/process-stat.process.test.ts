import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import {
  catchesSignal,
  contextSwitches,
  parseProcessStat,
  readProcessStat,
  countWaits,
} from "../../../src/launch/proc/process-stat.ts";
import { signalNumber } from "../../../src/launch/signals.ts";

const REST =
  "20 0 1 0 987654 2703360 231 18446744073709551615 1 1 0 0 0 0 0 4096 2 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 19";

test.each([
  ["a plain name", `42 (sleep) T 7 42 40 34816 43 4194304 98 0 0 0 0 0 0 0 ${REST}`],
  ["a name with a parenthesis and spaces", `42 (a) R 1 (b) T 7 42 40 34816 43 4194304 98 0 0 0 0 0 0 0 ${REST}`],
])("parseProcessStat parses a stat line with %s", (_, line) => {
  expect(parseProcessStat(`${line}\n`)).toEqual({
    state: "T",
    parent: 7,
    group: 42,
    session: 40,
    terminal: 34816,
    foregroundGroup: 43,
    startTime: "987654",
    exitCode: 19,
  });
});

test.each([[""], ["42 (sleep"], ["42 (sleep) R 1"]])(
  "parseProcessStat returns undefined for %j, which is no stat line",
  (line) => {
    expect(parseProcessStat(line)).toBeUndefined();
  },
);

test("the state, the context switches and the waits of this process are read from /proc", () => {
  const stat = readProcessStat("self");
  expect(stat).toMatchObject({ parent: process.ppid });
  expect(readProcessStat(process.pid)?.startTime).toBe(stat?.startTime);
  expect(contextSwitches(process.pid)).toMatch(/^voluntary_ctxt_switches:\s*\d+,nonvoluntary_ctxt_switches:\s*\d+$/);
  expect(countWaits(process.pid)).toBeGreaterThan(0);
});

test("no state is read, and no wait is counted, for a process that does not exist", () => {
  const beyond = 2 ** 30; // the largest PID of Linux is 2^22
  expect(readProcessStat(beyond)).toBeUndefined();
  expect(contextSwitches(beyond)).toBeUndefined();
  expect(countWaits(beyond)).toBe(0);
  expect(catchesSignal(beyond, 1)).toBe(false);
});

test("catchesSignal returns true only for signals that the process handles, not for ignored ones", async () => {
  const child = spawn("sh", ["-c", "trap : USR1; trap '' USR2; echo ready; read line"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const handled = (["SIGUSR1", "SIGUSR2", "SIGTERM"] as const).map((signal) =>
    catchesSignal(child.pid ?? 0, signalNumber(signal)),
  );
  expect(handled).toEqual([true, false, false]);
});
