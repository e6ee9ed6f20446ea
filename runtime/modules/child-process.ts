/**
 * The module node:child_process, as far as the bundle uses it. The bundle is the JavaScript of sophia-run, which this runtime
 * executes. The rest of the module is in the folder child-process/.
 */
import { parseSpawnArguments } from "./child-process/start.ts";
import { ChildProcess, signalNumber } from "./child-process/child.ts";
import { clearTimeout, setTimeout } from "./timers.ts";

export { execFile } from "./child-process/exec-file.ts";
export { spawnSync } from "./child-process/spawn-sync.ts";
export { ChildProcess };

/**
 * Starts a program. Takes (file, args, options), of which args and options may be missing.
 *
 * @throws an error such as Node.js throws for invalid arguments, and the errors of the system that Node.js does not emit as events
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
