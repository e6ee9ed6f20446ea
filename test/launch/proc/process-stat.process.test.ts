import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import {
  catchesSignal,
  contextSwitches,
  ignoresSignal,
  parseProcessStat,
  readProcessStat,
  countWaits,
  takesSignal,
} from "../../../src/launch/proc/process-stat.ts";
import { signalNumber } from "../../../src/launch/signals.ts";
import { notInstalled } from "../../helpers/skip.ts";

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

test("parseProcessStat parses a line with no fields after the start time, and fields that are no numbers as 0", () => {
  const fields = "R x 42 40 0 -1 4194304 98 0 0 0 0 0 0 0 20 0 1 0 987654";
  expect(parseProcessStat(`42 (sleep) ${fields}`)).toEqual({
    state: "R",
    parent: 0,
    group: 42,
    session: 40,
    terminal: 0,
    foregroundGroup: -1,
    startTime: "987654",
    exitCode: 0,
  });
  expect(parseProcessStat(`42 (sleep) ${fields.replace(" 987654", "")}`)).toBeUndefined();
});

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
  expect([catchesSignal(beyond, 1), takesSignal(beyond, 1), ignoresSignal(beyond, 1)]).toEqual([false, false, false]);
});

test("a signal is handled, ignored or blocked, or takes the process by its default action", async ({ skip }) => {
  // env(1) of GNU blocks a signal for the shell.
  const reason = notInstalled("env", "--block-signal=WINCH", "true");
  skip(reason !== undefined, reason);
  const script = "trap : ALRM USR1; trap '' USR2 SYS; echo ready; read line";
  const child = spawn("env", ["--block-signal=WINCH", "sh", "-c", script], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const { pid = 0 } = child;
  const signals = ["SIGALRM", "SIGUSR1", "SIGUSR2", "SIGSYS", "SIGWINCH", "SIGTERM", "SIGURG"] as const;
  const found = signals.map((signal) => {
    const number = signalNumber(signal);
    return [signal, catchesSignal(pid, number), ignoresSignal(pid, number), takesSignal(pid, number)];
  });
  expect(found).toEqual([
    ["SIGALRM", true, false, false],
    ["SIGUSR1", true, false, false],
    ["SIGUSR2", false, true, false],
    ["SIGSYS", false, true, false],
    ["SIGWINCH", false, true, false],
    ["SIGTERM", false, false, true],
    ["SIGURG", false, false, true],
  ]);
});
