/**
 * Restores the caller's soft limit on open files for the program (`--restore-nofile`). Node.js raises its own soft limit to the hard
 * limit when it starts, and the program would inherit that. The executables do not raise it.
 */
import { SophiaError } from "../core/error.ts";
import type { FailureCode } from "../core/failure-codes.ts";
import { loader } from "../system/addon/addon.ts";
import { isBun } from "../system/runtime.ts";
import type { RemoveListeners } from "./event-listeners.ts";
import { loadMonitorAddon } from "./monitor/monitor-addon.ts";
import { OPEN_FILES_UNCHANGED, OPEN_FILES_UNLIMITED } from "../../native/shared.ts";
import { readSoftLimit } from "./proc/process-stat.ts";

/**
 * Returns the caller's soft limit as `/proc` shows it (a number or `unlimited`); undefined if this process has the same limit.
 *
 * @throws SophiaError (125) if the caller's limit is unknown
 */
export function callerOpenFilesLimit(platform: NodeJS.Platform = process.platform): string | undefined {
  if (isBun || loader?.caller !== undefined || platform === "win32") return undefined;
  if (platform !== "linux") {
    throw createError("nofile-unknown", "needs the caller's limit, which only /proc of Linux shows");
  }
  const callerLimit = readSoftLimit(process.ppid, "Max open files");
  // The parent of PID 1 is outside the container, and hidepid (proc(5)) hides processes of other users.
  if (callerLimit === undefined) {
    throw createError("nofile-unknown", "cannot read the caller's limit (/proc does not show the parent process)");
  }
  return callerLimit === readSoftLimit("self", "Max open files") ? undefined : callerLimit;
}

/** Converts a limit to the number that `setOpenFiles` and `start` of native/monitor/monitor-addon.c take. */
export function openFilesNumber(limit: string | undefined): number {
  if (limit === undefined) return OPEN_FILES_UNCHANGED;
  return limit === "unlimited" ? OPEN_FILES_UNLIMITED : Number(limit);
}

/** Sets this process's limit to the caller's, so that the program inherits it. @returns the undo @throws SophiaError (125) */
export function setCallersOpenFiles(): RemoveListeners {
  const callerLimit = callerOpenFilesLimit();
  if (callerLimit === undefined) return () => {};
  const ownLimit = readSoftLimit("self", "Max open files");
  const addon = loadMonitorAddon();
  if (addon === undefined) throw createError("helper-missing", "needs sophia-run's addon, which is not loaded");
  addon.setOpenFiles(openFilesNumber(callerLimit));
  return () => addon.setOpenFiles(openFilesNumber(ownLimit));
}

function createError(code: FailureCode, problem: string): SophiaError {
  return new SophiaError({
    code,
    message: `--restore-nofile ${problem}`,
    hint: `set the limit before the program: sophia-run -- sh -c 'ulimit -n 1024; exec "$0" "$@"' command`,
  });
}
