/** Why this process cannot become the program, in words. */
import { SophiaError } from "../../core/error.ts";

const REASONS = {
  windows: "Windows has no execve",
  "no-execve": `sophia-run's addon was not loaded, and Node.js ${process.version} has no process.execve (22.15 and later have)`,
  profiler: "a profiler takes samples of this process, by a signal that would kill the program",
  files: "secret files have to be removed when the program ends, and no other process can do that here",
  redaction: "secrets in the program's output have to be masked",
  "kill-after": "--kill-after needs a process beside the program",
  watch: "--watch needs a process beside the program",
  channel: "the caller's IPC channel would be lost",
} as const;

/** The reason why a parent process is needed, or the inherited descriptors that would be closed. */
export type Obstacle = keyof typeof REASONS | readonly number[];

/** The error (exec-unavailable, 125) of `--mode exec`. */
export function execUnavailable(obstacle: Obstacle): SophiaError {
  const reason =
    typeof obstacle === "string"
      ? REASONS[obstacle]
      : `it would close the inherited descriptor${obstacle.length === 1 ? "" : "s"} ${obstacle.join(", ")}`;
  return new SophiaError({
    code: "exec-unavailable",
    message: `--mode exec is not available: ${reason}`,
    hint: "use --mode auto, which starts the program beside sophia-run where it has to",
  });
}
