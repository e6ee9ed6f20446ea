/**
 * Wraps the user's program in a command of the system that executes it: setpriv(1) for `--die-with-launcher`, or a shell that sets
 * variables of systemd, such as `LISTEN_PID`, to the program's PID. Such a wrapper changes an attribute of the process and then executes the program in the same process, with the same PID.
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
 * @throws SophiaError (helper-missing, 125) if setpriv of util-linux is not found
 */
export function withParentDeathSignal(program: Program): Program {
  // On Windows libuv puts every child into a job object, which ends the child together with this process.
  if (process.platform === "win32") return program;
  const file = findHelper("setpriv", program.environment);
  if (file === undefined || isBusyBoxLink(file)) {
    throw new SophiaError({
      code: "helper-missing",
      message: "--die-with-launcher needs setpriv of util-linux, which was not found",
      hint:
        process.platform === "linux"
          ? "install util-linux, or run without --die-with-launcher"
          : "run without --die-with-launcher",
    });
  }
  // `program.file` is not passed on: setpriv searches the PATH for argv[0] itself, and executes it with the same argv[0].
  return { ...program, file, argv: ["setpriv", "--pdeathsig", "KILL", "--", ...program.argv] };
}

/** Returns true if the file is a symbolic link to BusyBox, whose setpriv lacks `--pdeathsig`. Hard links are not recognized. */
function isBusyBoxLink(path: string): boolean {
  const target = attempt(() => readlinkSync(path));
  return target !== undefined && /(?:^|\/)busybox$/.test(target);
}

/** The variables that dash or bash changes by itself. */
const SHELL_VARIABLES = ["PWD", "OLDPWD", "IFS", "SHLVL", "_", "PPID", "OPTIND", "PS1", "PS2", "PS4"] as const;

/**
 * Wraps the program in a shell if a variable of systemd contains the PID of this process. The shell sets the variable to its own
 * PID, and then executes the program, which has the same PID:
 *
 *     sh -c 'exec env LISTEN_PID=$$ "$@"' sh PROGRAM ARGUMENT…
 */
export function withProgramPidVariables(program: Program): Program {
  const pidVariables = launcherPidVariables(program.environment);
  if (pidVariables.length === 0) return program;
  const environment = new Map(program.environment);
  // This variable holds the inode of this process's pidfd. The inode of the program's pidfd is not known.
  environment.delete("LISTEN_PIDFDID");
  const [file, ...shellArgv] = findShell(environment);
  const shellArguments = program.argv[0].includes("=")
    ? exportAndExecute(program.argv, pidVariables)
    : executeByEnv(program.argv, pidVariables, environment);
  return { file, argv: [...shellArgv, "-c", ...shellArguments], environment };
}

/**
 * Returns the words after `sh -c` for a command that contains `=`, which env(1) would take for an assignment. The shell exports the
 * variables itself, and what it changes of {@link SHELL_VARIABLES} stays changed:
 *
 *     LISTEN_PID=$$; export LISTEN_PID; exec "$0" "$@"
 */
function exportAndExecute(argv: readonly string[], pidVariables: readonly string[]): readonly string[] {
  const exports = pidVariables.map((name) => `${name}=$$; export ${name}; `);
  return [`${exports.join("")}exec "$0" "$@"`, ...argv];
}

/**
 * Returns the words after `sh -c`: the script, its `$0`, and its arguments, which begin with assignments such as `PWD=/srv`:
 *
 *     exec env -u PS1 LISTEN_PID=$$ "$@"
 *
 * env(1) restores the variables that the shell changes. Every user can read the arguments of a process, but these variables contain
 * no secrets.
 */
function executeByEnv(
  argv: readonly string[],
  pidVariables: readonly string[],
  environment: Environment,
): readonly string[] {
  const unsetOptions = SHELL_VARIABLES.filter((name) => !environment.has(name)).map((name) => `-u ${name} `);
  const assignments = SHELL_VARIABLES.flatMap((name) => {
    const value = environment.get(name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const pidAssignments = pidVariables.map((name) => `${name}=$$ `);
  return [`exec env ${unsetOptions.join("")}${pidAssignments.join("")}"$@"`, "sh", ...assignments, ...argv];
}

/**
 * Returns the file of a shell, and the first words of its argv: /bin/sh if each name of a variable is an identifier. dash, which is
 * often /bin/sh, drops variables with other names, so that bash is taken for these, unless it is missing. `-p` has bash leave exported
 * functions as they are. Without `--norc` bash would execute the user's .bashrc if the standard input is a socket, as it is for a
 * service of systemd or a child of Node.js.
 */
function findShell(environment: Environment): readonly [string, string, ...string[]] {
  const hasOnlyIdentifiers = [...environment.keys()].every((name) => /^[A-Za-z_]\w*$/.test(name));
  const bash = hasOnlyIdentifiers ? undefined : findHelper("bash", environment);
  return bash === undefined ? ["/bin/sh", "sh"] : [bash, "bash", "--norc", "-p"];
}
