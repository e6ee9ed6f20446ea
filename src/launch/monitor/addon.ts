import { nativeFile, openAddon } from "../../system/addon/addon.ts";
import type { Addon } from "../../system/addon/libc.ts";
import { isBun } from "../../system/runtime.ts";
import type { Launch, Preparation } from "../types.ts";

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
   * @param monitor the path of the monitor, and the secret files that it removes: strings, each ended by a NUL
   * @returns only if the program was not started: the system's error number
   */
  readonly start: (strings: Uint8Array, request: Uint8Array, descriptors: Uint8Array, monitor: Uint8Array) => number;
  /**
   * Starts the cleaner, which removes secret files when this process has ended, whatever it has become by then.
   *
   * @param monitor as for `start`
   * @param descriptors `int` numbers of what the program gets, and the cleaner does not
   * @param folder the descriptor of the files' folder
   * @returns 0 if it is there, else an error number
   */
  readonly startCleaner: (monitor: Uint8Array, descriptors: Uint8Array, folder: number) => number;
}

/** The monitor, and what it takes to start it. */
export interface Monitor {
  readonly addon: MonitorAddon;
  /** Path of the program. */
  readonly file: string;
  readonly libc: Addon;
}

/** @returns undefined where there is none that this process may execute */
export async function findMonitor(preparation: Preparation): Promise<Monitor | undefined> {
  const embedded = isBun ? await import("../standalone/embedded-addon.ts") : undefined;
  const libc = isBun ? (await import("../exec/libc-of-bun.ts")).addonOfBun() : preparation.addon;
  const file = embedded === undefined ? nativeFile("-monitor") : embedded.embeddedFile("-monitor");
  if (file === undefined || libc?.isExecutable(file) !== true) return undefined;
  const addon = embedded === undefined ? loadMonitorAddon() : asMonitorAddon(embedded.openEmbeddedAddon("-monitor"));
  return addon && { addon, file, libc };
}

/** @returns undefined where there is none, as `openAddon` */
export function loadMonitorAddon(): MonitorAddon | undefined {
  return asMonitorAddon(openAddon("-monitor"));
}

function asMonitorAddon(addon: unknown): MonitorAddon | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- addon.c defines these, and is built with this file
  return addon as MonitorAddon | undefined;
}

/** The descriptors that are the program's, as the functions of {@link MonitorAddon} take them. */
export function numbersOfProgram({ inherited, streams }: Launch): Uint8Array {
  return bytesOfNumbers(Int32Array.from([...streams, ...inherited.numbers]));
}

export function bytesOfNumbers({ buffer }: Int32Array | BigInt64Array): Uint8Array {
  return Buffer.from(buffer);
}
