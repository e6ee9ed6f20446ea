// Runs the commands of the build, such as a compiler or tar.
import { spawnSync } from "node:child_process";

/** Runs a command and waits until it has ended. @throws Error with what the command wrote to standard error, if it fails */
export function run(command, args, cwd) {
  const { error, status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error !== undefined || status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}
