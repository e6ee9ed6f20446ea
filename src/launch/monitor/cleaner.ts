import { readlinkSync } from "node:fs";
import { execUnavailable } from "../exec/obstacles.ts";
import { replace } from "../exec/replace.ts";
import type { Launch } from "../types.ts";
import { findMonitor, numbersOfProgram, type Monitor } from "./addon.ts";
import { entrust, type Entrusted } from "./entrusted.ts";

/** The machine's own, not a container's; the number is the same in all versions of Linux (PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = "pid:[4026531836]";

/**
 * Puts the program in this process's place, with its secret files. Another process, the cleaner, removes them when the
 * program has ended (Linux; see monitor.c).
 *
 * @returns only if there can be no cleaner, and the mode is `auto`
 * @throws SophiaError when the program cannot be executed; 125 if there can be no cleaner and the mode is `exec`
 */
export async function replaceWithCleaner(launch: Launch): Promise<void> {
  const { options, preparation } = launch;
  const monitor = !preparation.firstProcess && isFirstPidNamespace() ? await findMonitor(preparation) : undefined;
  const entrusted = monitor && startCleaner(launch, monitor);
  if (entrusted !== undefined) {
    try {
      await replace({ ...launch, program: entrusted.program });
    } finally {
      entrusted.remove();
    }
  }
  if (options.mode === "exec") throw execUnavailable("files");
}

/** Holds all signals meanwhile: one that ends this process does so when there are no files yet, or a cleaner. */
function startCleaner(launch: Launch, { addon, file }: Monitor): Entrusted | undefined {
  addon.holdSignals();
  try {
    const entrusted = entrust(launch, file);
    if (addon.startCleaner(entrusted.strings, numbersOfProgram(launch), entrusted.folder) === 0) return entrusted;
    entrusted.remove();
    return undefined;
  } finally {
    addon.releaseSignals();
  }
}

/**
 * True if this process is in no container's PID namespace: when PID 1 of such a one ends, often just after the program, the
 * kernel kills all that is in it.
 */
function isFirstPidNamespace(): boolean {
  try {
    return readlinkSync("/proc/self/ns/pid") === FIRST_PID_NAMESPACE;
  } catch {
    return false;
  }
}
