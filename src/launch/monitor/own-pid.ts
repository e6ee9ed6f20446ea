import type { Environment } from "../../core/model.ts";
import { EXEC_PID, PID_PLACEHOLDER, PID_VARIABLES } from "../../system/shared.ts";
import type { Program } from "../types.ts";

/** The variables by which systemd names this process; none where it names none, or another one. */
export function namesOfLauncher(environment: Environment): readonly string[] {
  const named = PID_VARIABLES.filter((name) => environment.get(name) === String(process.pid));
  return named.length === 0 ? [] : [...named, EXEC_PID].filter((name) => environment.has(name));
}

/**
 * Makes systemd's socket activation and watchdog work: variables by which systemd names this process name the program.
 */
export function withOwnPid(program: Program): Program {
  const names = namesOfLauncher(program.environment);
  if (names.length === 0) return program;
  const environment = new Map(program.environment);
  // The PID once more, as the inode of a pidfd; that of the program is not known.
  environment.delete("LISTEN_PIDFDID");
  for (const name of names) environment.set(name, PID_PLACEHOLDER);
  return { ...program, environment };
}
