/**
 * Lets a program of the system start the program: setpriv(1) for `--die-with-launcher`, or a shell that sets variables to its PID.
 * Such a wrapper changes an attribute of the process and then executes the program in the same process, with the same PID.
 */
import { readlinkSync } from "node:fs";
import { attempt } from "../../system/errors.ts";
import { SophiaError } from "../../core/error.ts";
import type { Environment } from "../../core/model.ts";
import { launcherPidVariables } from "../monitor/replace-by-monitor.ts";
import { findHelper } from "../program/find-executable.ts";
import type { Program } from "../types.ts";

/**
 * Wraps the program in setpriv(1), so that the kernel kills the program if this process ends first.
 *
 * @throws SophiaError (125) if setpriv is missing
 */
export function withParentDeathSignal(program: Program): Program {
  // On Windows libuv puts every child into a job object, which ends the child together with this process.
  if (process.platform === "win32") return program;
  const file = findHelper("setpriv", program.environment);
  if (file === undefined || isBusyBox(file)) {
    throw new SophiaError({
      code: "helper-missing",
      message: "--die-with-launcher needs setpriv of util-linux, which was not found",
      hint:
        process.platform === "linux"
          ? "install util-linux, or run without --die-with-launcher"
          : "run without --die-with-launcher",
    });
  }
  // setpriv looks the command up again, and executes it with the same argv[0].
  return { ...program, file, argv: ["setpriv", "--pdeathsig", "KILL", "--", ...program.argv] };
}

/** Returns true for BusyBox, whose setpriv lacks `--pdeathsig`. */
function isBusyBox(path: string): boolean {
  return /(?:^|\/)busybox$/.test(attempt(() => readlinkSync(path)) ?? "not a link");
}

/** The variables that dash or bash changes by itself. */
const SHELL_VARIABLES = ["PWD", "OLDPWD", "IFS", "SHLVL", "_", "PPID", "OPTIND", "PS1", "PS2", "PS4"] as const;

/**
 * Wraps the program in a shell if a variable of systemd contains the PID of this process. The shell sets the variable to its own
 * PID, and then executes the program, which has the same PID:
 *
 *     sh -c 'exec env LISTEN_PID=$$ "$@"' sh PROGRAM ARGUMENT…
 */
export function addPidVariables(program: Program): Program {
  const pidVariables = launcherPidVariables(program.environment);
  if (pidVariables.length === 0) return program;
  const environment = new Map(program.environment);
  // This variable holds the inode of this process's pidfd. The inode of the program's pidfd is not known.
  environment.delete("LISTEN_PIDFDID");
  const [file, ...shell] = shellThatKeeps(environment);
  return { file, argv: [...shell, "-c", ...shellArguments(program.argv, pidVariables, environment)], environment };
}

/** Returns the words after `sh -c`: the script, its `$0`, and its arguments. */
function shellArguments(
  argv: readonly [string, ...string[]],
  pidVariables: readonly string[],
  environment: Environment,
): readonly string[] {
  if (argv[0].includes("=")) {
    // env(1) would take a command with `=` for a variable. So the shell sets the variables itself.
    return [`${pidVariables.map((name) => `${name}=$$; export ${name}; `).join("")}exec "$0" "$@"`, ...argv];
  }
  // env(1) restores the variables that the shell changes. They contain no secrets, so that they may be arguments, which are
  // world-readable.
  const unsetOptions = SHELL_VARIABLES.filter((name) => !environment.has(name)).map((name) => `-u ${name} `);
  const assignments = SHELL_VARIABLES.flatMap((name) => {
    const value = environment.get(name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const pidAssignments = pidVariables.map((name) => `${name}=$$ `);
  return [`exec env ${unsetOptions.join("")}${pidAssignments.join("")}"$@"`, "sh", ...assignments, ...argv];
}

/**
 * Returns a shell that passes on the whole environment: its file, and the first words of its argv. dash, which is often /bin/sh,
 * drops variables whose names are not identifiers. `bash -p` keeps them, and exported functions. Without `--norc` bash would execute
 * the user's .bashrc if the standard input is a socket, as it is for a service of systemd or a child of Node.js.
 */
function shellThatKeeps(environment: Environment): readonly [string, string, ...string[]] {
  const hasOnlyIdentifiers = [...environment.keys()].every((name) => /^[A-Za-z_]\w*$/.test(name));
  const bash = hasOnlyIdentifiers ? undefined : findHelper("bash", environment);
  return bash === undefined ? ["/bin/sh", "sh"] : [bash, "bash", "--norc", "-p"];
}
