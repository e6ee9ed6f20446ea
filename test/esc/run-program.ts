/**
 * Runs a program to its end in an environment that the test chooses in full, for tests of the access to ESC. If the
 * callback `started` throws, the program is killed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { sophiaRun as program } from "../helpers/program.ts";

export interface ProcessResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program under test in an environment of nothing but `variables` and the search path. */
export function runSophia(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  cwd: string,
  started?: (kill: (signal: NodeJS.Signals) => void) => Promise<void>,
): Promise<ProcessResult> {
  return runProgram([...program, ...args], variables, cwd, started);
}

/** Runs a program in an environment of nothing but `variables` and the search path. */
export async function runProgram(
  [file, ...args]: readonly [string, ...string[]],
  variables: Readonly<Record<string, string>>,
  cwd: string,
  /** Called once it runs. */
  started: (kill: (signal: NodeJS.Signals) => void) => Promise<void> = () => Promise.resolve(),
): Promise<ProcessResult> {
  const child = spawn(file, args, {
    cwd,
    env: { PATH: process.env["PATH"], ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const closed = once(child, "close");
  try {
    await started((signal) => void child.kill(signal));
    await closed;
  } finally {
    child.kill("SIGKILL");
  }
  return {
    status: child.exitCode,
    signal: child.signalCode,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  };
}
