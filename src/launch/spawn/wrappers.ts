/** System programs that set an attribute of the process and then execute the program. */
import { readlinkSync } from "node:fs";
import { attempt } from "../../system/errors.ts";
import { SophiaError } from "../../core/error.ts";
import type { Environment } from "../../core/model.ts";
import { launcherPidVariables } from "../monitor/replace-by-monitor.ts";
import { findHelper } from "../program/find-executable.ts";
import type { Program } from "../types.ts";

/** Wraps the program in setpriv(1): SIGKILL when this process ends first. @throws SophiaError (125) if setpriv is missing */
export function withParentDeathSignal(program: Program): Program {
  // libuv's job object does that for every program.
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
  // It looks the command up again and replaces itself: PID and argv[0] stay the same.
  return { ...program, file, argv: ["setpriv", "--pdeathsig", "KILL", "--", ...program.argv] };
}

/** Returns true for BusyBox, whose setpriv lacks this option. */
function isBusyBox(path: string): boolean {
  return /(?:^|\/)busybox$/.test(attempt(() => readlinkSync(path)) ?? "not a link");
}

/** Variables that dash or bash changes by itself. */
const SHELL_VARIABLES = ["PWD", "OLDPWD", "IFS", "SHLVL", "_", "PPID", "OPTIND", "PS1", "PS2", "PS4"] as const;

/** Wraps the program in a shell if systemd names this process in a variable: the shell sets it to its own PID. */
export function withOwnPid(program: Program): Program {
  const settings = launcherPidVariables(program.environment);
  if (settings.length === 0) return program;
  const environment = new Map(program.environment);
  // The inode of this process's pidfd; the program's is unknown.
  environment.delete("LISTEN_PIDFDID");
  const [file, ...shell] = shellThatKeeps(environment);
  return { file, argv: [...shell, "-c", ...script(program.argv, settings, environment)], environment };
}

function script(
  argv: readonly [string, ...string[]],
  settings: readonly string[],
  environment: Environment,
): readonly string[] {
  if (argv[0].includes("=")) {
    // env(1) would take the command for a variable.
    return [`${settings.map((name) => `${name}=$$; export ${name}; `).join("")}exec "$0" "$@"`, ...argv];
  }
  // env(1) restores the shell's own variables. They hold no secrets, since arguments are world-readable.
  const absent = SHELL_VARIABLES.filter((name) => !environment.has(name)).map((name) => `-u ${name} `);
  const present = SHELL_VARIABLES.flatMap((name) => {
    const value = environment.get(name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
  const pids = settings.map((name) => `${name}=$$ `);
  return [`exec env ${absent.join("")}${pids.join("")}"$@"`, "sh", ...present, ...argv];
}

/**
 * Returns a shell that passes on the whole environment: its file and the start of its argv. dash, often /bin/sh, drops
 * variables whose names are not identifiers; bash -p keeps them and exported functions.
 */
function shellThatKeeps(environment: Environment): readonly [string, string, ...string[]] {
  const plain = [...environment.keys()].every((name) => /^[A-Za-z_]\w*$/.test(name));
  const bash = plain ? undefined : findHelper("bash", environment);
  return bash === undefined ? ["/bin/sh", "sh"] : [bash, "bash", "-p"];
}
