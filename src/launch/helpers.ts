import { readlinkSync } from "node:fs";
import { SophiaError } from "../core/error.ts";
import type { Environment } from "../core/model.ts";
import { findExecutable } from "./executable.ts";
import { softLimit } from "./proc/limits.ts";
import { isBun } from "../system/runtime.ts";

/** A program to execute: the file, all of argv with argv[0], the environment. */
export interface Program {
  readonly file: string;
  readonly argv: readonly [string, ...string[]];
  readonly environment: Environment;
}

/** The shell that runs a script without `#!`, as in execvp(3). */
export const scriptShell = "/bin/sh";

/** The program as a script of that shell. */
export function asShellScript(program: Program): Program {
  return { ...program, file: scriptShell, argv: [scriptShell, program.file, ...program.argv.slice(1)] };
}

/**
 * Puts a small program of the system in front that sets what JavaScript cannot and then executes the program in its
 * own place: the PID is the same, nothing of it remains but what it was asked to set.
 *
 * @param wanted what it is for, for the message
 * @throws SophiaError (125) when the helper is not installed
 */
function through(
  helper: string,
  options: readonly string[],
  wanted: string,
  command: string,
  program: Program,
): Program {
  const file = findHelper(helper, program.environment);
  if (file === undefined || isBusyBox(file)) {
    throw new SophiaError({
      code: "helper-missing",
      message: `${wanted} needs ${helper} of util-linux, which was not found`,
      hint: `install util-linux, or run without ${wanted}`,
    });
  }
  // The helper looks the command up once more, as typed: so argv[0] stays what it was.
  return { ...program, file, argv: [helper, ...options, "--", command, ...program.argv.slice(1)] };
}

/** @returns the path of a program of the system, undefined when it is not installed */
export function findHelper(name: string, environment: Environment): string | undefined {
  try {
    return findExecutable(name, environment.get("PATH"));
  } catch (error) {
    if (error instanceof SophiaError) return undefined;
    throw error;
  }
}

/** BusyBox has programs of the same names that lack what is needed here. */
function isBusyBox(path: string): boolean {
  try {
    return /(?:^|\/)busybox$/.test(readlinkSync(path));
  } catch {
    return false; // no link
  }
}

/** The kernel sends the program SIGKILL when this process ends before it, even by SIGKILL (Linux; prctl(2)). */
export function dyingWithLauncher(program: Program): Program {
  return through("setpriv", ["--pdeathsig", "KILL"], "--die-with-launcher", program.argv[0], program);
}

/**
 * Gives the program the soft limit on open files that the caller has; Node raises its own to the hard limit at its
 * start. Does nothing where both are the same, nor in a stand-alone executable, whose build has kept Bun from raising it.
 */
export function withCallersOpenFiles(program: Program): Program {
  if (isBun) return program;
  const callers = softLimit(process.ppid, "Max open files");
  if (callers === undefined || callers === softLimit("self", "Max open files")) return program;
  return through("prlimit", [`--nofile=${callers}:`], "--restore-nofile", program.argv[0], program);
}
