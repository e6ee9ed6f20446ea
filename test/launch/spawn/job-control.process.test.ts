/** How this process stops together with its program. It really stops: a helper waits for that, and continues it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { readProcessStat } from "../../../src/launch/proc/process-stat.ts";
import { JobControl } from "../../../src/launch/spawn/job-control.ts";
import { notLinux, skipBecause } from "../../helpers/skip.ts";
import { type SignalPrinter, startSignalPrinter } from "../signal-printer.ts";

skipBecause(notLinux);

/** Starts a program that prints signals, and stops it. */
async function startStopped(): Promise<SignalPrinter> {
  const program = await startSignalPrinter(["SIGCONT", "SIGUSR1"]);
  process.kill(program.pid, "SIGSTOP");
  await expect.poll(() => readProcessStat(program.pid)?.state).toBe("T");
  return program;
}

/** Starts a helper that waits for stops of this process, and at each sends SIGCONT to these processes. */
async function continueOnceStopped({ pids, stops = 1 }: { pids: readonly number[]; stops?: number }): Promise<void> {
  const untilStopped = "until grep -q ') T' /proc/$PPID/stat; do :; done";
  const round = `${untilStopped}; kill -CONT ${pids.join(" ")}`;
  const helper = spawn("sh", ["-c", `echo; ${Array.from({ length: stops }, () => round).join("; ")}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void helper.kill("SIGKILL"));
  await once(helper.stdout, "data");
}

/** Waits until the events of a stop have been handled. */
async function turnEventLoop(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("the launcher stops with its program, and continues it if it is continued alone", async () => {
  const { pid, line } = await startStopped();
  const job = new JobControl(() => pid);
  expect([job.isProgramStopped(), job.hasJustContinued(), job.takeExpectedContinue()]).toEqual([true, false, false]);
  await continueOnceStopped({ pids: [process.pid] });
  job.mirrorStop();
  expect(job.hasJustContinued()).toBe(true);
  expect([job.takeExpectedContinue(), job.takeExpectedContinue()]).toEqual([true, false]);
  expect(await line()).toBe("SIGCONT");
  await turnEventLoop();
  expect([job.isProgramStopped(), job.hasJustContinued()]).toEqual([false, false]);
});

test("the launcher does not continue a program that was continued together with it", async () => {
  const { pid, line } = await startStopped();
  const job = new JobControl(() => pid);
  await continueOnceStopped({ pids: [pid, process.pid] });
  job.mirrorStop();
  expect(await line()).toBe("SIGCONT");
  process.kill(pid, "SIGUSR1");
  expect(await line()).toBe("SIGUSR1");
});

test("the launcher does not stop if its program runs, has ended or does not exist", async () => {
  for (const pid of [process.ppid, 2 ** 30, undefined]) {
    const job = new JobControl(() => pid);
    job.mirrorStop();
    expect([job.isProgramStopped(), job.hasJustContinued(), job.takeExpectedContinue()]).toEqual([false, false, false]);
  }
});

test("the launcher expects one signal to continue for each stop, for a second", async () => {
  const { pid } = await startStopped();
  const job = new JobControl(() => pid);
  await continueOnceStopped({ pids: [process.pid], stops: 3 });
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const stop = (): void => {
    process.kill(pid, "SIGSTOP");
    while (!job.isProgramStopped());
    job.mirrorStop();
  };
  stop();
  stop();
  expect([job.takeExpectedContinue(), job.takeExpectedContinue(), job.takeExpectedContinue()]).toEqual([
    true,
    true,
    false,
  ]);
  stop();
  vi.advanceTimersByTime(1000);
  expect(job.takeExpectedContinue()).toBe(false);
});
