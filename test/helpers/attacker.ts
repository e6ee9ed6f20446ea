import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

/** The user and group of a process that attacks root's. */
export const ATTACKER = 4102;

/** Runs a script until the test ends, as another user. Resolves after its first line of output. */
export async function startAttack(script: string, ...args: readonly string[]): Promise<void> {
  const identity = [`--reuid=${ATTACKER}`, `--regid=${ATTACKER}`, "--clear-groups", "--"];
  await startBeside(["setpriv", ...identity, process.execPath, "-e", script, ...args]);
}

/** Runs a script until the test ends, as this user. Resolves after its first line of output. */
export async function startScript(script: string, ...args: readonly string[]): Promise<void> {
  await startBeside([process.execPath, "-e", script, ...args]);
}

async function startBeside([file, ...args]: readonly [string, ...string[]]): Promise<void> {
  const child = spawn(file, args, { env: {}, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(createInterface(child.stdout), "line");
}
