/** The caller's soft limit on open files, which Node.js raises to the hard limit at its start. */
import { SophiaError } from "../core/error.ts";
import type { FailureCode } from "../core/failure-codes.ts";
import { isBun } from "../system/runtime.ts";
import type { Undo } from "./listen.ts";
import { loadMonitorAddon } from "./monitor/addon.ts";
import { OPEN_FILES_UNCHANGED, OPEN_FILES_UNLIMITED } from "../system/shared.ts";
import { softLimit } from "./proc/process-stat.ts";

/**
 * The soft limit that the caller has, as `/proc` shows it (a number or `unlimited`).
 *
 * @returns undefined where it is this process's, too, in a stand-alone executable, whose build keeps Bun from raising it,
 *   and on Windows, which has no such limit
 * @throws SophiaError (125) where the system does not tell the caller's limit
 */
export function callersOpenFiles(platform: NodeJS.Platform = process.platform): string | undefined {
  if (isBun || platform === "win32") return undefined;
  if (platform !== "linux")
    throw refusal("nofile-unknown", "needs /proc of Linux, by which the caller's limit is known");
  const callers = softLimit(process.ppid, "Max open files");
  // The parent of a container's PID 1 is outside of it; with hidepid others' processes are not to be seen.
  if (callers === undefined)
    throw refusal("nofile-unknown", "cannot tell the caller's limit: /proc does not show this process's parent");
  return callers === softLimit("self", "Max open files") ? undefined : callers;
}

/** The limit as `setOpenFiles` and `start` of monitor/addon.c take it. */
export function openFilesNumber(limit: string | undefined): number {
  if (limit === undefined) return OPEN_FILES_UNCHANGED;
  return limit === "unlimited" ? OPEN_FILES_UNLIMITED : Number(limit);
}

/**
 * Gives this process the caller's limit: what it starts or becomes inherits it.
 *
 * @returns puts its own back
 * @throws SophiaError (125) where that is not possible
 */
export function setCallersOpenFiles(): Undo {
  const callers = callersOpenFiles();
  if (callers === undefined) return () => {};
  const own = softLimit("self", "Max open files");
  const addon = loadMonitorAddon();
  if (addon === undefined) throw refusal("helper-missing", "needs sophia-run's addon, which was not loaded");
  addon.setOpenFiles(openFilesNumber(callers));
  return () => addon.setOpenFiles(openFilesNumber(own));
}

function refusal(code: FailureCode, problem: string): SophiaError {
  return new SophiaError({
    code,
    message: `--restore-nofile ${problem}`,
    hint: `set the limit in front of the program: sophia-run -- sh -c 'ulimit -n 1024; exec "$0" "$@"' command`,
  });
}
