import { readFileSync } from "node:fs";

/** What Linux says of a process in /proc/PID/stat (proc_pid_stat(5)). */
export interface ProcessStat {
  /** `R` running, `S` sleeping, `T` stopped by a signal, `t` by a tracer, `Z` a zombie, … */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Device number of the controlling terminal, 0 without one. */
  readonly terminal: number;
  /** Foreground process group of the controlling terminal, -1 without one. */
  readonly foregroundGroup: number;
  /** Clock ticks between boot and the process's start: together with the PID it identifies a process. */
  readonly startTime: string;
  /** The exit status in the form of waitpid(2); while the process is stopped, the number of the signal that stopped it. */
  readonly exitCode: number;
}

/**
 * Of itself it asks by its main thread, which alone calls this: qemu-user, by which containers for another processor run,
 * answers for /proc/self/stat itself, without group and terminal.
 *
 * @returns undefined when the process does not exist or the system has no /proc
 */
export function readProcessStat(pid: number | "self"): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid === "self" ? "thread-self" : pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** @returns undefined when the line does not have the form of /proc/PID/stat */
export function parseProcessStat(line: string): ProcessStat | undefined {
  // The second field is the program's name in parentheses, which may hold spaces and parentheses itself.
  const end = line.lastIndexOf(")");
  if (end < 0) return undefined;
  const fields = line.slice(end + 2).split(" ");
  const field = (number: number): string => fields[number - 3] ?? ""; // numbered from 1 as in the manual page
  const integer = (number: number): number => Number.parseInt(field(number), 10) || 0;
  if (fields.length < 20) return undefined;
  return {
    state: field(3),
    parent: integer(4),
    group: integer(5),
    session: integer(6),
    terminal: integer(7),
    foregroundGroup: integer(8),
    startTime: field(22),
    exitCode: integer(52),
  };
}

/**
 * How often the process's main thread has left the processor: where that is the same twice for a stopped process, it
 * has not run in between.
 */
export function contextSwitches(pid: number): string | undefined {
  return readStatus(pid)
    .match(/^(?:non)?voluntary_ctxt_switches:.*$/gm)
    ?.join();
}

/** How often the process's main thread has waited for something; 0 where the system does not tell. */
export function waits(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readStatus(pid))?.[1] ?? 0);
}

/** Whether the process has a handler of its own for the signal. */
export function catchesSignal(pid: number | "self", signal: number): boolean {
  return isAmong(/^SigCgt:\s*([0-9a-f]+)$/m, readStatus(pid), signal);
}

/** Whether the process neither handles nor ignores nor blocks the signal; false where the system does not tell. */
export function takesSignal(pid: number, signal: number): boolean {
  const status = readStatus(pid);
  const others = [/^SigCgt:\s*([0-9a-f]+)$/m, /^SigIgn:\s*([0-9a-f]+)$/m, /^SigBlk:\s*([0-9a-f]+)$/m];
  return status !== "" && !others.some((set) => isAmong(set, status, signal));
}

/** Whether the process ignores or blocks the signal; false where the system does not tell. */
export function ignoresSignal(pid: number, signal: number): boolean {
  const status = readStatus(pid);
  return [/^SigIgn:\s*([0-9a-f]+)$/m, /^SigBlk:\s*([0-9a-f]+)$/m].some((set) => isAmong(set, status, signal));
}

function isAmong(set: RegExp, status: string, signal: number): boolean {
  return ((BigInt(`0x${set.exec(status)?.[1] ?? "0"}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** /proc/PID/status (proc_pid_status(5)); empty when the process does not exist or the system has no /proc. */
function readStatus(pid: number | "self"): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}

/**
 * One soft limit of a process, as /proc/PID/limits shows it (a number or `unlimited`); undefined where the system does
 * not tell.
 */
export function softLimit(
  pid: number | "self",
  name: "Max core file size" | "Max file size" | "Max open files" | "Max stack size",
): string | undefined {
  try {
    const limits = readFileSync(`/proc/${pid}/limits`, "utf8");
    return new RegExp(`^${name}\\s+(\\S+)`, "m").exec(limits)?.[1];
  } catch {
    return undefined;
  }
}
