import type { Environment } from "../../core/model.ts";
import type { Program } from "../types.ts";

/** Variables by which systemd says for which process other variables are meant. */
const PID_VARIABLES = ["LISTEN_PID", "WATCHDOG_PID"] as const;

/** Stands for the program's PID, which its process writes over it: as many digits as a PID has at most. See addon.c. */
const OWN_PID = "0000000000";

/** The variables by which systemd names this process; none where it names none, or another one. */
export function namesOfLauncher(environment: Environment): readonly string[] {
  const named = PID_VARIABLES.filter((name) => environment.get(name) === String(process.pid));
  return named.length === 0 ? [] : [...named, "SYSTEMD_EXEC_PID"].filter((name) => environment.has(name));
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
  for (const name of names) environment.set(name, OWN_PID);
  return { ...program, environment };
}
