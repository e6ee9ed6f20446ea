/**
 * Types and loads the addon that starts the monitor and the cleaner (native/monitor/monitor-addon.c). Both are small C programs: the monitor
 * is the program's parent process, and the cleaner removes secret files after the program's end.
 */
import { nativeFilePath, openAddon } from "../../system/addon/addon.ts";
import type { Addon } from "../../../native/system.ts";
import type { Launch, Preparation } from "../types.ts";

export interface MonitorAddon {
  /** Blocks all signals in all threads. Later signals stay pending, also across execve. Listeners still get earlier signals. */
  readonly holdSignals: () => void;
  /** Unblocks the signals again, so that the pending ones are delivered. */
  readonly releaseSignals: () => void;
  /** Sets the soft limit on open files (setrlimit(2)). @param soft as `openFilesNumber` returns it */
  readonly setOpenFiles: (soft: number) => void;
  /**
   * Starts the program as a child, then replaces this process by the monitor. Returns an error number if nothing was started.
   *
   * @param strings the program's file, arguments and variables, as `bytesOf` returns them (program-strings.ts)
   * @param request `struct request` of native/monitor/monitor-addon.c
   * @param descriptors the program's descriptors, each as an `int` of C
   * @param monitor the monitor's arguments: `strings` of `RemovableFiles` (secret-files.ts)
   */
  readonly start: (strings: Uint8Array, request: Uint8Array, descriptors: Uint8Array, monitor: Uint8Array) => number;
  /**
   * Starts the cleaner, which removes the secret files at the end of this process, also after an execve.
   *
   * @param monitor the cleaner's arguments: `strings` of `RemovableFiles` (secret-files.ts)
   * @param descriptors the program's descriptors, each as an `int` of C, which the cleaner closes
   * @param folder the descriptor of the folder of secret files
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

/** Finds the monitor of this system. Returns undefined if this process cannot execute it. */
export function findMonitor(preparation: Preparation): Monitor | undefined {
  const libc = preparation.addon;
  const file = nativeFilePath("-monitor");
  if (file === undefined || libc?.isExecutable(file) !== true) return undefined;
  const addon = loadMonitorAddon();
  return addon && { addon, file, libc };
}

/** Loads the addon. Returns undefined if it does not exist for this system. */
export function loadMonitorAddon(): MonitorAddon | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- native/monitor/monitor-addon.c defines these, and is built with this file
  return openAddon("-monitor") as MonitorAddon | undefined;
}

/** Returns the program's descriptors, each as an `int` of C. */
export function numbersOfProgram({ inherited, streams }: Launch): Uint8Array {
  return bytesOfNumbers(Int32Array.from([...streams, ...inherited.numbers]));
}

/** Returns numbers as bytes, as the C code of the addon reads them. */
export function bytesOfNumbers({ buffer }: Int32Array | BigInt64Array): Uint8Array {
  return Buffer.from(buffer);
}
