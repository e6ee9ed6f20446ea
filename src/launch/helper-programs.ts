/** Small programs of the system that set what JavaScript cannot. */
import { readlinkSync } from "node:fs";
import { SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import { lookUp } from "./look-up.ts";
import { loadMonitorAddon } from "./monitor/addon.ts";
import { callersOpenFiles, openFilesNumber } from "./open-files.ts";
import type { Program } from "./types.ts";

/** @returns the path of a program of the system, undefined when it is not installed */
export function findHelper(name: string, environment: Environment): string | undefined {
  const found = lookUp(name, environment.get("PATH"));
  return "file" in found ? found.file : undefined;
}

/**
 * The kernel sends the program SIGKILL when this process ends before it, even by SIGKILL (Linux; prctl(2)). On Windows
 * libuv's job object does that for every program.
 *
 * @throws SophiaError (125) when setpriv is not installed
 */
export function dyingWithLauncher(program: Program): Program {
  if (process.platform === "win32") return program;
  return through("setpriv", ["--pdeathsig", "KILL"], "--die-with-launcher", program);
}

/**
 * Gives the program the soft limit on open files that the caller has. Does nothing where {@link callersOpenFiles} knows of
 * none to set.
 *
 * @throws SophiaError (125) when prlimit is not installed, and where the system does not tell the caller's limit
 */
export function withCallersOpenFiles(program: Program, platform: NodeJS.Platform = process.platform): Program {
  const callers = callersOpenFiles(platform);
  return callers === undefined ? program : through("prlimit", [`--nofile=${callers}:`], "--restore-nofile", program);
}

/** The same for a program that takes the place of this process, which sets its own limit where it has the addon. */
export function withCallersOpenFilesHere(program: Program): Program {
  const addon = loadMonitorAddon();
  if (addon === undefined) return withCallersOpenFiles(program);
  addon.setOpenFiles(openFilesNumber(callersOpenFiles()));
  return program;
}

/** The helper sets what its options say and executes the program in its own place: the PID stays the same. */
function through(helper: string, options: readonly string[], wanted: string, program: Program): Program {
  const file = findHelper(helper, program.environment);
  if (file === undefined || isBusyBox(file)) {
    throw new SophiaError({
      code: "helper-missing",
      message: `${wanted} needs ${helper} of util-linux, which was not found`,
      hint: process.platform === "linux" ? `install util-linux, or run without ${wanted}` : `run without ${wanted}`,
    });
  }
  // The helper looks the command up once more, as typed: so argv[0] stays what it was.
  return { ...program, file, argv: [helper, ...options, "--", ...program.argv] };
}

/** BusyBox has programs of the same names that lack these options. */
function isBusyBox(path: string): boolean {
  try {
    return /(?:^|\/)busybox$/.test(readlinkSync(path));
  } catch {
    return false; // not a link
  }
}
