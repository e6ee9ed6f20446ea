/** Runs scripts that race with sophia-run for its files, as another user and as the same user. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

/** The user and group of a process that attacks a process of root. */
export const ATTACKER = 4102;

/** Starts a script as another user, which is killed when the test ends. Resolves after its first line of output. */
export async function startAttack(script: string, ...args: readonly string[]): Promise<void> {
  const identity = [`--reuid=${ATTACKER}`, `--regid=${ATTACKER}`, "--clear-groups", "--"];
  await startUntilTestEnds(["setpriv", ...identity, process.execPath, "-e", script, ...args]);
}

/** Starts a script as this user, which is killed when the test ends. Resolves after its first line of output. */
export async function startScript(script: string, ...args: readonly string[]): Promise<void> {
  await startUntilTestEnds([process.execPath, "-e", script, ...args]);
}

async function startUntilTestEnds([file, ...args]: readonly [string, ...string[]]): Promise<void> {
  const child = spawn(file, args, { env: {}, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(createInterface(child.stdout), "line");
}
