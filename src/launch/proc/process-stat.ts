import { readFileSync } from "node:fs";

/** Fields of /proc/PID/stat (Linux; proc_pid_stat(5)). */
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
 * Asks of this process by its main thread: qemu-user answers for /proc/self/stat itself, without group and terminal.
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

/** Counts how often the main thread has left the processor: the same twice if a stopped process has not run in between. */
export function contextSwitches(pid: number): string | undefined {
  return readStatus(pid)
    .match(/^(?:non)?voluntary_ctxt_switches:.*$/gm)
    ?.join();
}

/** Counts how often the main thread has waited for something; 0 if the system does not tell. */
export function waits(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readStatus(pid))?.[1] ?? 0);
}

type SignalSet = "SigCgt" | "SigIgn" | "SigBlk";

/** Returns true if the process has a handler for the signal; false if the system does not tell, as below. */
export function catchesSignal(pid: number | "self", signal: number): boolean {
  return isInSets(readStatus(pid), ["SigCgt"], signal);
}

/** Returns true if the process neither handles nor ignores nor blocks the signal. */
export function takesSignal(pid: number, signal: number): boolean {
  const status = readStatus(pid);
  return status !== "" && !isInSets(status, ["SigCgt", "SigIgn", "SigBlk"], signal);
}

/** Returns true if the process ignores or blocks the signal. */
export function ignoresSignal(pid: number, signal: number): boolean {
  return isInSets(readStatus(pid), ["SigIgn", "SigBlk"], signal);
}

function isInSets(status: string, sets: readonly SignalSet[], signal: number): boolean {
  return sets.some((set) => {
    const bits = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0";
    return ((BigInt(`0x${bits}`) >> BigInt(signal - 1)) & 1n) === 1n;
  });
}

/** /proc/PID/status (proc_pid_status(5)); empty when the process does not exist or the system has no /proc. */
function readStatus(pid: number | "self"): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}

/** Returns a soft limit as /proc/PID/limits shows it (a number or `unlimited`); undefined where the system does not tell. */
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
