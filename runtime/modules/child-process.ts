/** The parts of node:child_process that the bundle uses. */
import { startOf } from "./child-process/start.ts";
import { ChildProcess, signalNumber } from "./child-process/child.ts";
import { clearTimeout, setTimeout } from "./timers.ts";

export { execFile } from "./child-process/exec-file.ts";
export { spawnSync } from "./child-process/spawn-sync.ts";
export { ChildProcess };

/** @throws an Error of Node.js for arguments or system errors that it does not report by an event */
export function spawn(file: unknown, args?: unknown, given?: unknown): ChildProcess {
  const start = startOf(file, args, given);
  const { killSignal = "SIGTERM", timeout = 0 } = start.options;
  signalNumber(killSignal);
  const child = new ChildProcess().start(start);
  if (timeout > 0) {
    const timer = setTimeout(() => child.kill(killSignal), timeout);
    child.once("exit", () => clearTimeout(timer));
  }
  return child;
}
