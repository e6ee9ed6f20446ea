/** Why this process cannot become the program, in words. Loaded only where somebody insists on it. */
import { SophiaError } from "../../core/error.ts";

/** What needs a process beside the program, or the inherited descriptors that would be closed. */
export type Obstacle =
  | "windows"
  | "no-execve"
  | "profiler"
  | "files"
  | "redaction"
  | "kill-after"
  | "watch"
  | "channel"
  | readonly number[];

/** The error (exec-unavailable, 125) of `--mode exec`. */
export function execUnavailable(obstacle: Obstacle): SophiaError {
  return new SophiaError({
    code: "exec-unavailable",
    message: `--mode exec is not available: ${words(obstacle)}`,
    hint: "use --mode auto, which starts the program beside sophia-run where it has to",
  });
}

function words(obstacle: Obstacle): string {
  switch (obstacle) {
    case "windows":
      return "Windows has no execve";
    case "no-execve":
      return `sophia-run's addon was not loaded, and Node.js ${process.version} has no process.execve (22.15 and later have)`;
    case "profiler":
      return "a profiler takes samples of this process, by a signal that would kill the program";
    case "files":
      return "secret files have to be removed when the program ends, and no other process can do that here";
    case "redaction":
      return "secrets in the program's output have to be masked";
    case "kill-after":
      return "--kill-after needs a process beside the program";
    case "watch":
      return "--watch needs a process beside the program";
    case "channel":
      return "the caller's IPC channel would be lost";
    default:
      return `it would close the inherited descriptor${obstacle.length === 1 ? "" : "s"} ${obstacle.join(", ")}`;
  }
}
