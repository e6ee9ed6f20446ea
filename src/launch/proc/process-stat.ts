import { readFileSync } from "node:fs";
import { attempt } from "../../system/errors.ts";

/** Fields of /proc/PID/stat (Linux; proc_pid_stat(5)). */
export interface ProcessStat {
  /** `R` running, `S` sleeping, `T` stopped by a signal, `t` by a tracer, `Z` a zombie, … */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly terminal: number;
  /** Foreground process group of the controlling terminal, -1 without one. */
  readonly foregroundGroup: number;
  /** Clock ticks from boot to the start; with the PID it identifies a process. */
  readonly startTime: string;
  /** The status as in waitpid(2); for a stopped process the number of the signal. */
  readonly exitCode: number;
}

/** Reads /proc/PID/stat; undefined without the process or /proc. */
export function readProcessStat(pid: number | "self"): ProcessStat | undefined {
  // qemu-user emulates /proc/self/stat without group and terminal.
  return attempt(() => parseProcessStat(readFileSync(`/proc/${pid === "self" ? "thread-self" : pid}/stat`, "utf8")));
}

export function parseProcessStat(line: string): ProcessStat | undefined {
  // The second field, the name in parentheses, may have spaces and parentheses.
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

/** Returns the main thread's context switches as text. The text of a stopped process is the same until it runs. */
export function contextSwitches(pid: number): string | undefined {
  return readStatus(pid)
    .match(/^(?:non)?voluntary_ctxt_switches:.*$/gm)
    ?.join();
}

/** Counts the main thread's voluntary context switches; 0 if unknown. */
export function waits(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(readStatus(pid))?.[1] ?? 0);
}

type SignalSet = "SigCgt" | "SigIgn" | "SigBlk";

/** Returns true if the process handles the signal; false if unknown. */
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

function readStatus(pid: number | "self"): string {
  return attempt(() => readFileSync(`/proc/${pid}/status`, "utf8")) ?? "";
}

/** Returns a soft limit of /proc/PID/limits (a number or `unlimited`); undefined if unknown. */
export function softLimit(
  pid: number | "self",
  name: "Max core file size" | "Max file size" | "Max open files" | "Max stack size",
): string | undefined {
  const limits = attempt(() => readFileSync(`/proc/${pid}/limits`, "utf8")) ?? "";
  return new RegExp(`^${name}\\s+(\\S+)`, "m").exec(limits)?.[1];
}
