import type { Environment } from "../../core/model.ts";
import { EXEC_PID, PID_PLACEHOLDER, PID_VARIABLES } from "../../../native/shared.ts";
import type { Program } from "../types.ts";

/** Returns the variables in which systemd names this process. */
export function launcherPidVariables(environment: Environment): readonly string[] {
  const named = PID_VARIABLES.filter((name) => environment.get(name) === String(process.pid));
  return named.length === 0 ? [] : [...named, EXEC_PID].filter((name) => environment.has(name));
}

/** Replaces this PID in systemd's variables for socket activation and watchdog: the program's process fills in its own. */
export function withPidPlaceholders(program: Program): Program {
  const names = launcherPidVariables(program.environment);
  if (names.length === 0) return program;
  const environment = new Map(program.environment);
  // The inode of this process's pidfd; the program's is unknown.
  environment.delete("LISTEN_PIDFDID");
  for (const name of names) environment.set(name, PID_PLACEHOLDER);
  return { ...program, environment };
}
