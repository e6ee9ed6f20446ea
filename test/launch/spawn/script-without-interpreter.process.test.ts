/** The C library itself may start a shell for a script without `#!`, or leave that to sophia-run, which must not start it again. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { notLinux, skipBecause } from "../../helpers/skip.ts";
import { folder, sophia, sophiaRun } from "../../helpers/sophia.ts";

skipBecause(notLinux);

test.each(["spawn", "auto"])("a script without an interpreter runs once (--mode %s)", async (mode) => {
  const cwd = folder({ script: 'echo "$1" >> runs\nexit 7\n', runs: "" });
  chmodSync(join(cwd, "script"), 0o755);
  const { status, stderr } = await sophia(["--no-contract", "--mode", mode, "--", "./script", "an argument"], { cwd });
  expect({ status, stderr, runs: readFileSync(join(cwd, "runs"), "utf8") }).toEqual({
    status: 7,
    stderr: "",
    runs: "an argument\n",
  });
});

test("a script without an interpreter runs once if it has a channel for messages, so that Node.js starts it", async () => {
  const cwd = folder({ script: 'echo "$1" >> runs\nexit 7\n', runs: "" });
  chmodSync(join(cwd, "script"), 0o755);
  const [command, ...prefix] = sophiaRun;
  const launcher = spawn(command, [...prefix, "--no-contract", "--", "./script", "an argument"], {
    cwd,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  expect(await once(launcher, "exit")).toEqual([7, null]);
  expect(readFileSync(join(cwd, "runs"), "utf8")).toBe("an argument\n");
});

test("a script without an interpreter that is not executable does not run", async () => {
  const cwd = folder({ script: "echo ran >> runs\n", runs: "" });
  chmodSync(join(cwd, "script"), 0o644);
  const { status } = await sophia(["--no-contract", "--mode", "spawn", "--", "./script"], { cwd });
  expect({ status, runs: readFileSync(join(cwd, "runs"), "utf8") }).toEqual({ status: 126, runs: "" });
});
