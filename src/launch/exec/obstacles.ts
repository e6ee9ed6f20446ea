/** Lists the reasons why the program cannot replace this process, and describes them in the error for `--mode exec`. */
import { SophiaError } from "../../core/error.ts";

const REASONS = {
  windows: "Windows has no execve",
  "no-execve": `sophia-run's addon is not loaded, and Node.js ${process.version} has no process.execve (since 22.15)`,
  profiler: "a profiler samples this process, and its signal would kill the program",
  files: "secret files must be removed when the program ends, and no other process can do that here",
  outputMasking: "secrets in the program's output must be masked",
  "kill-after": "--kill-after needs a parent process",
  watch: "--watch needs a parent process",
  broker: "--broker needs a parent process",
  refresh: "--refresh needs a parent process",
  aws: "--aws-refresh needs a parent process",
  channel: "the caller's IPC channel would be lost",
} as const;

/** The reason why the program cannot replace this process. A list: the inherited descriptors that the program would lack. */
export type Obstacle = keyof typeof REASONS | readonly number[];

/** Returns the error (exec-unavailable, 125) for the user who asks for `--mode exec`. */
export function execUnavailable(obstacle: Obstacle): SophiaError {
  const reason =
    typeof obstacle === "string"
      ? REASONS[obstacle]
      : `it would close the inherited descriptor${obstacle.length === 1 ? "" : "s"} ${obstacle.join(", ")}`;
  return new SophiaError({
    code: "exec-unavailable",
    message: `--mode exec is not available: ${reason}`,
    hint: "use --mode auto, which keeps sophia-run as the parent process if necessary",
  });
}
