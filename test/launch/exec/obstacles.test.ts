import { expect, test } from "vitest";
import { execUnavailable, type Obstacle } from "../../../src/launch/exec/obstacles.ts";

const OBSTACLES: readonly (readonly [Obstacle, string])[] = [
  ["windows", "Windows has no execve"],
  ["no-execve", `sophia-run's addon is not loaded, and Node.js ${process.version} has no process.execve (since 22.15)`],
  ["profiler", "a profiler samples this process, and its signal would kill the program"],
  ["files", "secret files must be removed when the program ends, and no other process can do that here"],
  ["outputMasking", "secrets in the program's output must be masked"],
  ["kill-after", "--kill-after needs a parent process"],
  ["watch", "--watch needs a parent process"],
  ["broker", "--broker needs a parent process"],
  ["refresh", "--refresh needs a parent process"],
  ["aws", "--aws-refresh needs a parent process"],
  ["channel", "the caller's IPC channel would be lost"],
  [[3], "it would close the inherited descriptor 3"],
  [[3, 5, 17], "it would close the inherited descriptors 3, 5, 17"],
];

test.each(OBSTACLES)("--mode exec is refused with the reason: %j", (obstacle, reason) => {
  expect(execUnavailable(obstacle)).toMatchObject({
    code: "exec-unavailable",
    status: 125,
    message: `--mode exec is not available: ${reason}`,
    hint: "use --mode auto, which keeps sophia-run as the parent process if necessary",
  });
});
