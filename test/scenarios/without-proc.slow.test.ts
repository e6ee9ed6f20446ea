import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { skipBecause } from "../helpers/skip.ts";
import { folder, sophiaRun } from "../helpers/sophia.ts";
import { withoutProc } from "../helpers/without-proc.ts";

/**
 * Stops the job and continues it, as Ctrl-Z and `fg` do, and prints the states of the launcher and the program. The kernel stops each
 * process when it runs next, so that the script waits for both.
 */
const SCRIPT = `set -m
"$@" -- sh -c 'echo $$ > program; exec sleep 60' &
launcher=$!
state() { sed 's/.*) \\(.\\).*/\\1/' "/proc/$1/stat"; }
until [ -s program ]; do sleep 0.02; done
program=$(cat program)
until [ "$(cat "/proc/$program/comm")" = sleep ]; do sleep 0.02; done
kill -TSTP -- -$launcher
until [ "$(state $launcher) $(state $program)" = "T T" ]; do sleep 0.02; done
echo "$(state $launcher) $(state $program)"
kill -CONT -- -$launcher
until [ "$(state $program)" = S ]; do sleep 0.02; done
kill -TERM $launcher
wait $launcher
echo $?`;

const prefix = withoutProc();
skipBecause(prefix === undefined ? "needs mount namespaces" : undefined);

test("without /proc the kernel stops launcher and program, and both continue", () => {
  const command = [...(prefix ?? []), ...sophiaRun, "--no-contract", "--mode", "spawn"];
  const args = ["-c", SCRIPT, "bash", ...command];
  const { stdout } = spawnSync("bash", args, { cwd: folder(), encoding: "utf8", timeout: 30_000 });
  expect(stdout).toBe("T T\n143\n");
});

test("without /proc a hangup that only the launcher gets is forwarded to the program, by JavaScript as well", () => {
  const program = `trap 'echo hung up; exit 5' HUP; echo $$ > program; until false; do sleep 0.02; done`;
  const script = `"$@" -- sh -c "${program.replaceAll("$", String.raw`\$`)}" &
    until [ -s program ]; do sleep 0.02; done
    kill -HUP $!
    wait $!
    echo $?`;
  // With masking JavaScript stays as the parent process, otherwise the monitor does.
  for (const options of [["--mode", "spawn"], ["--redact"]]) {
    const command = [...(prefix ?? []), ...sophiaRun, "--no-contract", ...options];
    const cwd = folder({ ".env": "API_KEY=s3cr3t-v4lue-0a1b\n" });
    const { stdout } = spawnSync("bash", ["-c", script, "bash", ...command], {
      cwd,
      encoding: "utf8",
      timeout: 30_000,
    });
    expect(stdout).toBe("hung up\n5\n");
  }
});
