/** A program that prints the signals that it gets, for tests that signal a program or forward signals to it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, onTestFinished } from "vitest";

export interface SignalPrinter {
  readonly pid: number;
  /** Resolves with the next line that the program prints, which is the name of a signal. */
  readonly line: () => Promise<unknown>;
  /** Resolves with the signal that has killed the program. */
  readonly killed: Promise<unknown>;
}

/** Starts a program that prints each of these signals, which do not end it. It runs until the end of the test. */
export async function startSignalPrinter(signals: readonly NodeJS.Signals[]): Promise<SignalPrinter> {
  const script = `for (const signal of ${JSON.stringify(signals)}) process.on(signal, () => console.log(signal));
    console.log("ready"); setInterval(() => {}, 1_000_000);`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"], env: {} });
  onTestFinished(() => void child.kill("SIGKILL"));
  const killed = once(child, "exit").then(([, signal]: unknown[]) => signal);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<unknown> => (await lines.next()).value;
  expect(await line()).toBe("ready");
  return { pid: child.pid ?? 0, line, killed };
}
