import { namesOfLauncher } from "../spawn/pid-variables.ts";
import type { Program } from "../types.ts";

/** Stands for the program's PID, which its process writes over it: as many digits as a PID has at most. See addon.c. */
const OWN_PID = "0000000000";

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
