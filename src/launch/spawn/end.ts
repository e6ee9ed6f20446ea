import { closeSync, fstatSync, openSync } from "node:fs";
import { attempt } from "../../system/errors.ts";
import { resetToDefault, send, signalNumber } from "../signals.ts";

interface DeathOptions {
  readonly firstProcess: boolean;
  /** The kernel may dump a core of this process. */
  readonly dumpable: boolean;
}

/** Ends this process by the program's signal. PID 1 cannot signal itself, and exits with 128 plus its number. */
export function dieOf(signal: NodeJS.Signals, { firstProcess, dumpable }: DeathOptions): never {
  if (!firstProcess && process.platform !== "win32") {
    // Keeps a core dump from overwriting the program's in the working directory: /proc takes no files.
    if (dumpable) attempt(() => process.chdir("/proc"));
    resetToDefault(signal);
    send(process.pid, signal);
  }
  return process.exit(128 + signalNumber(signal));
}

/** Flag of open(2) in Linux: needs no permission, and allows neither reads nor writes. */
const O_PATH = 0o10000000;

/** Closes the program's descriptors here, so that its streams end when it closes them. Throws nothing. */
export function release(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) attempt(() => closeSync(descriptor));
  // Libraries write to these, and at its exit Node would reset a terminal to its settings at the start.
  for (const descriptor of [0, 1, 2]) {
    if (attempt(() => fstatSync(descriptor)) !== undefined) continue;
    // open(2) takes the lowest free number. A chroot may have no /dev/null, which "w" would create.
    const rootFlags = process.platform === "linux" ? O_PATH : "r";
    if (attempt(() => openSync("/dev/null", "r+")) === undefined) attempt(() => openSync("/", rootFlags));
  }
}
