// Runs a command of the build, such as a compiler.
import { spawnSync } from "node:child_process";

/** Waits for its end. @throws with the messages of the command if it fails */
export function run(command, args, cwd) {
  const { error, status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error !== undefined || status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}
