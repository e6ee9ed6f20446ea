/** Commands of cases. ESC's stand-in runs in the process of the cases, which therefore must not be blocked. */
import { spawn } from "node:child_process";

/** Milliseconds after which a command is killed. */
const LIMIT = 600_000;

export interface Finished {
  /** Null if it was killed. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export function run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const [file = "", ...args] = command;
  const child = spawn(file, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT,
    killSignal: "SIGKILL",
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, ...output }));
  });
}

/** Runs a command that must succeed, and returns what it prints. */
export async function succeed(command: readonly string[], env?: Readonly<Record<string, string>>): Promise<string> {
  const { status, stdout, stderr } = await run(command, env);
  if (status !== 0) throw new Error(`${command.join(" ")}: status ${status}\n${stderr.slice(-4000)}`);
  return stdout.trim();
}
