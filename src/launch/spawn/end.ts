import { resetToDefault, send, signalNumber } from "../signals.ts";

interface Dying {
  readonly firstProcess: boolean;
  /** The kernel has not been told to dump nothing of it. */
  readonly dumpable: boolean;
}

/**
 * Ends this process by the signal, so that its parent sees what it would have seen of the program itself. Exits with 128
 * plus the signal's number as PID 1, which cannot signal itself, and where this process survives the signal.
 */
export function dieOf(signal: NodeJS.Signals, { firstProcess, dumpable }: Dying): never {
  if (!firstProcess && process.platform !== "win32") {
    if (dumpable) leaveForProc();
    resetToDefault(signal);
    send(process.pid, signal);
  }
  return process.exit(128 + signalNumber(signal));
}

/**
 * Keeps a core dump of this process, which has no memory in it, from overwriting the program's: no file can be made in
 * /proc, and the usual name of a dump (`core`; core(5)) is one in the working directory.
 */
function leaveForProc(): void {
  try {
    process.chdir("/proc");
  } catch {
    // no /proc
  }
}
