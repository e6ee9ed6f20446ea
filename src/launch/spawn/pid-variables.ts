import type { Environment } from "../../core/model.ts";
import { findHelper } from "../program/look-up.ts";
import { namesOfLauncher } from "../monitor/own-pid.ts";
import type { Program } from "../types.ts";

/** Variables that dash or bash sets or changes by itself. */
const SHELL_VARIABLES = ["PWD", "OLDPWD", "IFS", "SHLVL", "_", "PPID", "OPTIND", "PS1", "PS2", "PS4"] as const;

/**
 * Makes systemd's socket activation and watchdog work where a variable names this process: a shell sets it to its own PID
 * and then becomes the program.
 */
export function withOwnPidVariables(program: Program): Program {
  const settings = namesOfLauncher(program.environment);
  if (settings.length === 0) return program;
  const environment = new Map(program.environment);
  // The PID once more, as the inode of a pidfd; that of the program cannot be known.
  environment.delete("LISTEN_PIDFDID");
  const [file, ...shell] = shellThatKeeps(environment);
  return { file, argv: [...shell, "-c", ...script(program.argv, settings, environment)], environment };
}

/** The shell's script and its arguments: sets the variables to its PID and becomes the program. */
function script(
  argv: readonly [string, ...string[]],
  settings: readonly string[],
  environment: Environment,
): readonly string[] {
  if (argv[0].includes("=")) {
    // env(1) would take the command for a variable.
    return [`${settings.map((name) => `${name}=$$; export ${name}; `).join("")}exec "$0" "$@"`, ...argv];
  }
  // env(1) undoes what the shell does to its own variables. Arguments are world-readable: these hold no secrets.
  const absent = SHELL_VARIABLES.filter((name) => !environment.has(name)).map((name) => `-u ${name} `);
  const present = SHELL_VARIABLES.flatMap((name) => {
    const value = environment.get(name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const pids = settings.map((name) => `${name}=$$ `);
  return [`exec env ${absent.join("")}${pids.join("")}"$@"`, "sh", ...present, ...argv];
}

/**
 * The file of a shell that passes the environment on as it is, and its argv up to its options. dash, often /bin/sh, drops
 * variables whose names are not identifiers; bash with -p keeps them, exported functions too.
 */
function shellThatKeeps(environment: Environment): readonly [string, string, ...string[]] {
  const plain = [...environment.keys()].every((name) => /^[A-Za-z_]\w*$/.test(name));
  const bash = plain ? undefined : findHelper("bash", environment);
  return bash === undefined ? ["/bin/sh", "sh"] : [bash, "bash", "-p"];
}
