/** Ends this process as the program has ended, and closes the program's descriptors in this process. */
import { closeSync, fstatSync, openSync } from "node:fs";
import { attempt } from "../../system/errors.ts";
import { resetToDefault, send, signalNumber } from "../signals.ts";

interface DeathOptions {
  /** True for PID 1. */
  readonly isFirstProcess: boolean;
  /** True if the kernel may write a core dump of this process. */
  readonly isDumpable: boolean;
}

/**
 * Ends this process by the signal that killed the program. PID 1 cannot signal itself, and exits with 128 plus the signal's number.
 */
export function dieBySignal(signal: NodeJS.Signals, { isFirstProcess, isDumpable }: DeathOptions): never {
  if (!isFirstProcess && process.platform !== "win32") {
    // A core dump of this process would overwrite the program's core dump in the working directory. The kernel can write no file in
    // /proc.
    if (isDumpable) attempt(() => process.chdir("/proc"));
    resetToDefault(signal);
    send(process.pid, signal);
  }
  return process.exit(128 + signalNumber(signal));
}

/** A flag of open(2) in Linux, which needs no permission, and allows neither reads nor writes. */
const O_PATH = 0o10000000;

/**
 * Closes the program's descriptors in this process, so that readers see the end as soon as the program closes them. Throws nothing.
 */
export function releaseDescriptors(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) attempt(() => closeSync(descriptor));
  // The numbers 0 to 2 get a harmless file: libraries write to them, and at its exit Node.js would reset a terminal there to the
  // settings that it had at the start.
  for (const descriptor of [0, 1, 2]) {
    if (attempt(() => fstatSync(descriptor)) !== undefined) continue;
    // open(2) returns the lowest free number. A chroot may have no /dev/null, which "w" would create: then the root folder must do.
    const rootFlags = process.platform === "linux" ? O_PATH : "r";
    if (attempt(() => openSync("/dev/null", "r+")) === undefined) attempt(() => openSync("/", rootFlags));
  }
}
