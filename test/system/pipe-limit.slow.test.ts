/** Several named pipes share one limit, so that a start does not wait for each of them. */
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { folder, sophia } from "../helpers/sophia.ts";

/** Makes two pipes, and a process that writes into each after so many seconds, one after another. */
function slowPipes(seconds: number): string {
  const cwd = folder();
  execFileSync("mkfifo", ["-m", "600", join(cwd, "one"), join(cwd, "two")]);
  const script = `sleep ${seconds}; echo ONE=1 > one; sleep ${seconds}; echo TWO=2 > two`;
  const writer = spawn("sh", ["-c", script], { cwd, stdio: "ignore", detached: true });
  onTestFinished(() => {
    // It may have ended by itself.
    if (writer.exitCode === null && writer.pid !== undefined) process.kill(-writer.pid, "SIGKILL");
  });
  return cwd;
}

const ARGUMENTS = ["--no-contract", "--dotenv", "one", "--dotenv", "two", "--", "sh", "-c", 'echo "$ONE$TWO"'];

test("pipes whose writers come in time are read", async () => {
  expect(await sophia(ARGUMENTS, { cwd: slowPipes(1) })).toMatchObject({ status: 0, stdout: "12\n" });
});

test("pipes that together take more than five seconds are an error, though each one is in time", async () => {
  const { status, stdout, stderr } = await sophia(ARGUMENTS, { cwd: slowPipes(4) });
  expect([status, stdout]).toEqual([125, ""]);
  expect(stderr).toContain("two");
});
