import { chmodSync, existsSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { noNobody, sophiaAsNobody } from "../../helpers/nobody.ts";
import { addon, folder, isStandalone } from "../../helpers/sophia.ts";

describe("beside the program", () => {
  const reason = noNobody ?? (isStandalone || existsSync(addon) ? undefined : "needs the addon");
  beforeEach(({ skip }) => skip(reason !== undefined, reason));

  const run = (script: string): { stdout: string; stderr: string; status: number | null } => {
    const cwd = folder();
    chmodSync(cwd, 0o755);
    const args = ["--no-contract", "--mode", "spawn", "--", "sh", "-c", script];
    return sophiaAsNobody(args, { cwd });
  };

  test.each(["environ", "mem", "maps", "fd/1", "auxv"])("the program cannot read the launcher's %s", (file) => {
    const { stdout, stderr, status } = run(`cat "/proc/$PPID/${file}" >/dev/null; echo "$?"`);
    expect({ stdout, status }).toEqual({ stdout: "1\n", status: 0 });
    expect(stderr).toContain("Permission denied");
  });

  test("the program itself can be looked at and dumped as ever", () => {
    const show = "grep -l . /proc/self/environ /proc/self/maps; stat -c %u /proc/self/environ";
    expect(run(show)).toMatchObject({ stdout: "/proc/self/environ\n/proc/self/maps\n65534\n", status: 0 });
  });

  test("its end by a signal that dumps core is passed on", () => {
    expect(run("ulimit -c 0; kill -ABRT $$")).toMatchObject({ status: null, signal: "SIGABRT" });
  });
});
