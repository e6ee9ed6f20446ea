import { readFileSync } from "node:fs";

/**
 * One soft limit of a process, as /proc/PID/limits shows it (a number or `unlimited`); undefined where the system does
 * not tell.
 */
export function softLimit(
  pid: number | "self",
  name: "Max core file size" | "Max open files" | "Max stack size",
): string | undefined {
  try {
    const limits = readFileSync(`/proc/${pid}/limits`, "utf8");
    return new RegExp(`^${name}\\s+(\\S+)`, "m").exec(limits)?.[1];
  } catch {
    return undefined;
  }
}
