/** The caller's soft limit on open files. Node.js, but not the executables, raises its own to the hard limit at its start. */
import { SophiaError } from "../core/error.ts";
import type { FailureCode } from "../core/failure-codes.ts";
import { loader } from "../system/addon/addon.ts";
import { isBun } from "../system/runtime.ts";
import type { Undo } from "./event-listeners.ts";
import { loadMonitorAddon } from "./monitor/monitor-addon.ts";
import { OPEN_FILES_UNCHANGED, OPEN_FILES_UNLIMITED } from "../../native/shared.ts";
import { softLimit } from "./proc/process-stat.ts";

/**
 * Returns the caller's soft limit as in `/proc` (a number or `unlimited`); undefined if this process has the same.
 *
 * @throws SophiaError (125) if the caller's limit is unknown
 */
export function callersOpenFiles(platform: NodeJS.Platform = process.platform): string | undefined {
  if (isBun || loader?.caller !== undefined || platform === "win32") return undefined;
  if (platform !== "linux")
    throw refusal("nofile-unknown", "needs the caller's limit, which only /proc of Linux shows");
  const callers = softLimit(process.ppid, "Max open files");
  // The parent of a container's PID 1 is outside of it; hidepid of proc(5) hides other users' processes.
  if (callers === undefined)
    throw refusal("nofile-unknown", "cannot read the caller's limit (/proc does not show the parent process)");
  return callers === softLimit("self", "Max open files") ? undefined : callers;
}

/** Converts a limit for `setOpenFiles` and `start` of native/monitor/monitor-addon.c. */
export function openFilesNumber(limit: string | undefined): number {
  if (limit === undefined) return OPEN_FILES_UNCHANGED;
  return limit === "unlimited" ? OPEN_FILES_UNLIMITED : Number(limit);
}

/** Sets this process's limit to the caller's, for the program to inherit. @returns the undo @throws SophiaError (125) */
export function setCallersOpenFiles(): Undo {
  const callers = callersOpenFiles();
  if (callers === undefined) return () => {};
  const ownLimit = softLimit("self", "Max open files");
  const addon = loadMonitorAddon();
  if (addon === undefined) throw refusal("helper-missing", "needs sophia-run's addon, which is not loaded");
  addon.setOpenFiles(openFilesNumber(callers));
  return () => addon.setOpenFiles(openFilesNumber(ownLimit));
}

function refusal(code: FailureCode, problem: string): SophiaError {
  return new SophiaError({
    code,
    message: `--restore-nofile ${problem}`,
    hint: `set the limit before the program: sophia-run -- sh -c 'ulimit -n 1024; exec "$0" "$@"' command`,
  });
}
