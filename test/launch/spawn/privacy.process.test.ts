import { chmodSync, existsSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { noNobody, sophiaAsNobody } from "../../helpers/nobody.ts";
import { addon, folder, isStandalone } from "../../helpers/sophia.ts";

describe("in spawn mode", () => {
  const skipReason = noNobody ?? (isStandalone || existsSync(addon) ? undefined : "needs the addon");
  beforeEach(({ skip }) => skip(skipReason !== undefined, skipReason));

  const run = (script: string): { stdout: string; stderr: string; status: number | null } => {
    const cwd = folder();
    chmodSync(cwd, 0o755);
    const args = ["--no-contract", "--mode", "spawn", "--", "sh", "-c", script];
    return sophiaAsNobody(args, { cwd, env: { SENTINEL: "a-planted-value" } });
  };

  test.each(["environ", "mem", "maps", "fd/1", "auxv"])("the program cannot read the launcher's %s", (file) => {
    // The launcher executes the monitor. The kernel lets other processes read a process that has just executed a program, until
    // the program's first instruction forbids it. By then nothing of the launcher is left in the process. Its address 0 can never
    // be read.
    const refused = `cat "/proc/$PPID/${file}" 2>&1 >>"$seen" | grep "Permission denied" >&2`;
    const script = `seen=$(mktemp); n=0; until ${refused}; do n=$((n + 1)); [ $n -lt 200 ] || exit 1; done
      grep -c "$SENTINEL" "$seen"; rm "$seen"; :`;
    const { stdout, stderr, status } = run(script);
    expect({ stdout, status }).toEqual({ stdout: "0\n", status: 0 });
    expect(stderr).toContain("Permission denied");
  });

  test("the program itself can be inspected and dumped", () => {
    const script = "grep -l . /proc/self/environ /proc/self/maps; stat -c %u /proc/self/environ";
    expect(run(script)).toMatchObject({ stdout: "/proc/self/environ\n/proc/self/maps\n65534\n", status: 0 });
  });

  test("sophia-run dies of the signal of which the program has died, even if the signal dumps core", () => {
    expect(run("ulimit -c 0; kill -ABRT $$")).toMatchObject({ status: null, signal: "SIGABRT" });
  });
});
