/** The parts of node:child_process that the bundle uses. The folder child-process/ has the rest of the module. */
import { parseSpawnArguments } from "./child-process/start.ts";
import { ChildProcess, signalNumber } from "./child-process/child.ts";
import { clearTimeout, setTimeout } from "./timers.ts";

export { execFile } from "./child-process/exec-file.ts";
export { spawnSync } from "./child-process/spawn-sync.ts";
export { ChildProcess };

/**
 * Starts a program. Takes (file, args, options), of which args and options may be missing.
 *
 * @throws an Error of Node.js for invalid arguments, and an error of the system that is not emitted as an event
 */
export function spawn(file: unknown, args?: unknown, givenOptions?: unknown): ChildProcess {
  const spawnArguments = parseSpawnArguments(file, args, givenOptions);
  const { killSignal = "SIGTERM", timeout = 0 } = spawnArguments.options;
  // An unknown signal is refused before the child runs.
  signalNumber(killSignal);
  const child = new ChildProcess().start(spawnArguments);
  if (timeout > 0) {
    const timer = setTimeout(() => child.kill(killSignal), timeout);
    child.once("exit", () => clearTimeout(timer));
  }
  return child;
}
