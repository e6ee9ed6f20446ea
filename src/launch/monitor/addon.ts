import { openAddon } from "../../system/addon/addon.ts";

/** Functions of `addon.c`. */
export interface MonitorAddon {
  /**
   * Blocks all signals. From here on they stay pending, also across execve, and for whichever thread they are. Listeners
   * get what came before.
   */
  readonly holdSignals: () => void;
  /** Undoes `holdSignals`. */
  readonly releaseSignals: () => void;
  /** Sets this process's soft limit on open files (setrlimit(2)), as `openFilesNumber` gives it. */
  readonly setOpenFiles: (soft: number) => void;
  /**
   * Starts the program as a child, then executes the monitor in the place of this process.
   *
   * @param strings as for execve of `Libc`
   * @param request `struct request` of addon.c
   * @param descriptors `int` numbers of what the program gets
   * @returns only if the program was not started: the system's error number
   */
  readonly start: (strings: Uint8Array, request: Uint8Array, descriptors: Uint8Array, monitor: string) => number;
}

/** @returns undefined where there is none, as `openAddon` */
export function loadMonitorAddon(): MonitorAddon | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- addon.c defines these, and is built with this file
  return openAddon("-monitor") as MonitorAddon | undefined;
}
