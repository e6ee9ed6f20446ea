/** Which signals to this process reach the program if no terminal has sent them. They are real signals to the test's process. */
import { describe, expect, onTestFinished, test } from "vitest";
import { readProcessStat } from "../../../src/launch/proc/process-stat.ts";
import { forwardSignals, type ForwardingOptions } from "../../../src/launch/spawn/forward-signals.ts";
import { catchableSignals } from "../../../src/launch/signals.ts";
import { notLinux, skipBecause } from "../../helpers/skip.ts";
import { startSignalPrinter } from "../signal-printer.ts";

const hasTerminal = readProcessStat("self")?.terminal !== 0;
skipBecause(
  notLinux ?? (hasTerminal ? "needs a process without a terminal, as `setsid --wait npx vitest` starts" : undefined),
);

// Node.js ignores these signals until the last listener for them is removed. Then a write to a closed pipe would end this process, in
// which the next test files run as well.
for (const signal of ["SIGPIPE", "SIGXFSZ"]) process.on(signal, () => {});

/** Signals that the program prints, which do not end it. */
const FORWARDED = catchableSignals().filter((signal) => signal !== "SIGCHLD" && signal !== "SIGPROF");

/** Starts a program that prints each signal that this process forwards. */
async function startForwarding(options: Partial<ForwardingOptions> = {}) {
  const { pid, line } = await startSignalPrinter(FORWARDED);
  const events: string[] = [];
  const stopForwarding = forwardSignals({
    pid: () => pid,
    isFirstProcess: false,
    profiled: false,
    ignoresWriteSignals: false,
    onSignal: (signal) => void events.push(signal),
    onStopRequest: () => void events.push("stop request"),
    ...options,
  });
  onTestFinished(stopForwarding);
  const sendToThis = (signal: NodeJS.Signals): void => void process.kill(process.pid, signal);
  return { line, events, sendToThis };
}

test("each signal reaches the program once, and those that ask for its end are reported as such", async () => {
  const { line, events, sendToThis } = await startForwarding();
  for (const signal of FORWARDED) {
    sendToThis(signal);
    expect(await line()).toBe(signal);
  }
  const stopRequests = new Set(["SIGINT", "SIGQUIT", "SIGTERM"]);
  const own = events.filter((event) => event !== "SIGCHLD");
  expect(own).toEqual(FORWARDED.flatMap((signal) => (stopRequests.has(signal) ? [signal, "stop request"] : [signal])));
});

test("a signal that a write of the launcher may have caused is not forwarded", async () => {
  const { line, events, sendToThis } = await startForwarding({ isOfWrite: (signal) => signal === "SIGXFSZ" });
  sendToThis("SIGXFSZ");
  sendToThis("SIGUSR2");
  expect(await line()).toBe("SIGUSR2");
  expect(events.filter((event) => event !== "SIGCHLD")).toEqual(["SIGUSR2"]);
});

describe("if the program has a pseudo-terminal of its own", () => {
  test("a resize and the end of a stop are handled there first, and SIGTTOU for the launcher's own writes is not forwarded", async () => {
    const handled: string[] = [];
    const { line, sendToThis } = await startForwarding({
      terminal: {
        resized: () => void handled.push("resized"),
        continued: () => void handled.push("continued"),
        isAccess: (signal) => {
          handled.push(signal);
          return true;
        },
        showBeforeStop: () => Promise.resolve(),
      },
    });
    sendToThis("SIGWINCH");
    expect(await line()).toBe("SIGWINCH");
    sendToThis("SIGCONT");
    expect(await line()).toBe("SIGCONT");
    sendToThis("SIGTTOU");
    await expect.poll(() => handled).toEqual(["resized", "continued", "SIGTTOU"]);
    sendToThis("SIGUSR2");
    expect(await line()).toBe("SIGUSR2");
  });
});

test("as PID 1 the launcher reaps orphans at SIGCHLD", async () => {
  let isReaped = false;
  const { line, sendToThis } = await startForwarding({ isFirstProcess: true, reapOrphans: () => (isReaped = true) });
  sendToThis("SIGCHLD");
  await expect.poll(() => isReaped).toBe(true);
  sendToThis("SIGUSR2");
  expect(await line()).toBe("SIGUSR2");
});
