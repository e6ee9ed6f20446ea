/** The addon that starts the monitor and the cleaner (native/monitor/monitor-addon.c). */
import { nativeFile, openAddon } from "../../system/addon/addon.ts";
import type { Addon } from "../../../native/system.ts";
import type { Launch, Preparation } from "../types.ts";

export interface MonitorAddon {
  /** Blocks all signals in all threads. They stay pending, also across execve. Listeners still get those that came before. */
  readonly holdSignals: () => void;
  readonly releaseSignals: () => void;
  /** Sets the soft limit on open files (setrlimit(2)). @param soft as `openFilesNumber` returns it */
  readonly setOpenFiles: (soft: number) => void;
  /**
   * Starts the program as a child, then replaces this process by the monitor. Returns an error number if nothing was started.
   *
   * @param strings as for execve of `Libc`
   * @param request `struct request` of native/monitor/monitor-addon.c
   * @param descriptors the program's descriptors, as `int`
   * @param monitor as `strings` of `RemovableFiles`
   */
  readonly start: (strings: Uint8Array, request: Uint8Array, descriptors: Uint8Array, monitor: Uint8Array) => number;
  /**
   * Starts the cleaner, which removes the secret files at the end of this process, also after an execve.
   *
   * @param descriptors the program's descriptors, as `int`, which the cleaner closes
   * @returns 0, or an error number
   */
  readonly startCleaner: (monitor: Uint8Array, descriptors: Uint8Array, folder: number) => number;
  /** Takes the exclusive lock of an open file or folder (flock(2)), without waiting. @returns false if that fails */
  readonly tryLock: (descriptor: number) => boolean;
}

/** The parts that are needed to start a monitor. */
export interface Monitor {
  readonly addon: MonitorAddon;
  /** The executable of the monitor. */
  readonly file: string;
  readonly libc: Addon;
}

/** Returns undefined if this process cannot execute a monitor. */
export function findMonitor(preparation: Preparation): Monitor | undefined {
  const libc = preparation.addon;
  const file = nativeFile("-monitor");
  if (file === undefined || libc?.isExecutable(file) !== true) return undefined;
  const addon = loadMonitorAddon();
  return addon && { addon, file, libc };
}

export function loadMonitorAddon(): MonitorAddon | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/monitor/monitor-addon.c defines these, and is built with this file
  return openAddon("-monitor") as MonitorAddon | undefined;
}

/** Returns the program's descriptors as `int` of C. */
export function numbersOfProgram({ inherited, streams }: Launch): Uint8Array {
  return bytesOfNumbers(Int32Array.from([...streams, ...inherited.numbers]));
}

/** Returns numbers as C code in the addon reads them. */
export function bytesOfNumbers({ buffer }: Int32Array | BigInt64Array): Uint8Array {
  return Buffer.from(buffer);
}
