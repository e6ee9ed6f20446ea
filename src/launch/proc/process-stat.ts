/**
 * Reads the state of a process from /proc (Linux): its stops, its group and terminal, its signals and its limits. Without /proc,
 * and for a process that does not exist, each function returns a value for "unknown".
 */
import { readFileSync } from "node:fs";
import { attempt } from "../../system/errors.ts";

/** Fields of /proc/PID/stat (Linux; proc_pid_stat(5)). */
export interface ProcessStat {
  /** `R` running, `S` sleeping, `T` stopped by a signal, `t` by a tracer, `Z` a zombie, … */
  readonly state: string;
  /** The PIDs of the parent process, of the leader of the process group, and of the leader of the session. */
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** The device number of the controlling terminal; 0 without one. */
  readonly terminal: number;
  /** The process group in the foreground of the controlling terminal; -1 without one. */
  readonly foregroundGroup: number;
  /** The clock ticks between boot and the start of the process. Together with the PID they identify the process. */
  readonly startTime: string;
  /** The status as in waitpid(2); the number of the signal if the process is stopped. */
  readonly exitCode: number;
}

/** Reads /proc/PID/stat. Returns undefined without /proc, and if the process does not exist. */
export function readProcessStat(pid: number | "self"): ProcessStat | undefined {
  // The file of the thread has the same fields. qemu-user emulates /proc/self/stat, but without group and terminal.
  return attempt(() => parseProcessStat(readFileSync(`/proc/${pid === "self" ? "thread-self" : pid}/stat`, "utf8")));
}

/** Parses a line such as `4711 (my program) S 4700 4711 4700 34816 4711 …`. */
export function parseProcessStat(line: string): ProcessStat | undefined {
  // The second field, the name in parentheses, may itself contain spaces and parentheses.
  const nameEnd = line.lastIndexOf(")");
  if (nameEnd < 0) return undefined;
  const fields = line.slice(nameEnd + 2).split(" ");
  // Fields have numbers from 1 on, as in the manual page. The third field is the first one after the name.
  const field = (number: number): string => fields[number - 3] ?? "";
  const integer = (number: number): number => Number.parseInt(field(number), 10) || 0;
  // `startTime`, the 22nd field, must be there. Old kernels lack the 52nd.
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

/** Returns how often the main thread has left a processor, as text. As long as the text is the same, the thread has not run. */
export function contextSwitches(pid: number): string | undefined {
  return readStatus(pid)
    .match(/^(?:non)?voluntary_ctxt_switches:.*$/gm)
    ?.join();
}

/** Returns how often the main thread has waited for something (voluntary context switches); 0 if unknown. */
export function countWaits(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readStatus(pid))?.[1] ?? 0);
}

/** Fields of /proc/PID/status with a set of signals: those with a handler, those that are ignored, and those that are blocked. */
type SignalSet = "SigCgt" | "SigIgn" | "SigBlk";

/** Returns true if the process has a handler for the signal; false if unknown. */
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

/** Returns true if a signal is in one of the sets: `SigIgn:\t0000000000001000`, with a bit for each signal. */
function isInSets(status: string, sets: readonly SignalSet[], signal: number): boolean {
  return sets.some((set) => {
    const bits = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0";
    return ((BigInt(`0x${bits}`) >> BigInt(signal - 1)) & 1n) === 1n;
  });
}

function readStatus(pid: number | "self"): string {
  return attempt(() => readFileSync(`/proc/${pid}/status`, "utf8")) ?? "";
}

/**
 * Returns a soft limit of a process (a number or `unlimited`); undefined if unknown. A line of /proc/PID/limits:
 *
 *     Max open files            1024                 1048576              files
 */
export function readSoftLimit(
  pid: number | "self",
  name: "Max core file size" | "Max file size" | "Max open files" | "Max stack size",
): string | undefined {
  const limits = attempt(() => readFileSync(`/proc/${pid}/limits`, "utf8")) ?? "";
  return new RegExp(`^${name}\\s+(\\S+)`, "m").exec(limits)?.[1];
}
