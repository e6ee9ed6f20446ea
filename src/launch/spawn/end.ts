import { readFileSync } from "node:fs";
import crossSpawn from "cross-spawn";
import type { Environment } from "../../core/model.ts";
import { findHelper } from "../helper-programs.ts";
import { softLimit } from "../proc/process-stat.ts";
import { resetToDefault, send, signalNumber } from "../signals.ts";

/** The signals whose default action writes a core dump (signal(7)). */
const DUMPING: ReadonlySet<NodeJS.Signals> = new Set([
  "SIGQUIT",
  "SIGILL",
  "SIGTRAP",
  "SIGABRT",
  "SIGIOT",
  "SIGBUS",
  "SIGFPE",
  "SIGSEGV",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGSYS",
] as const);

/** What is known of this process. */
interface Dying {
  readonly firstProcess: boolean;
  /** The kernel has not been told to dump nothing of it. */
  readonly dumpable: boolean;
}

/**
 * Ends this process by the signal, so that its parent sees what it would have seen of the program itself. Exits with 128
 * plus the signal's number as PID 1, which cannot signal itself, and where this process survives the signal.
 *
 * @param environment its PATH leads to helper programs
 */
export async function dieOf(signal: NodeJS.Signals, dying: Dying, environment: Environment): Promise<never> {
  if (!dying.firstProcess && process.platform !== "win32") {
    if (DUMPING.has(signal) && dying.dumpable && mayDump()) preventDump(environment);
    resetToDefault(signal);
    send(process.pid, signal);
  }
  return process.exit(128 + signalNumber(signal));
}

/** Whether the kernel would write a core dump of this process (Linux; core(5)). */
function mayDump(): boolean {
  try {
    // A collector, behind a pipe or socket, gets dumps whatever the limit is.
    if (/^[|@]/.test(readFileSync("/proc/sys/kernel/core_pattern", "utf8"))) return true;
    return softLimit("self", "Max core file size") !== "0";
  } catch {
    return true;
  }
}

/**
 * Keeps a dump of this process from overwriting the program's, which is the one of interest. Its memory is kept out of
 * dumps anyway; this prevents the file.
 */
function preventDump(environment: Environment): void {
  try {
    process.chdir("/proc"); // no file can be made there: that is enough for the usual pattern, `core`
  } catch {
    // no /proc
  }
  const prlimit = findHelper("prlimit", environment);
  // A limit of one byte, and not of none, tells collectors too not to take the dump (core(5)).
  if (prlimit === undefined) return;
  crossSpawn.sync(prlimit, ["--core=1:", "--pid", String(process.pid)], { stdio: "ignore", env: {} });
}
