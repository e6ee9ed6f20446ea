/** Several named pipes share one time limit, so that a start does not wait as long for each of them. */
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { folder, sophia } from "../helpers/sophia.ts";

/** Makes two named pipes, and starts a process that writes into one after the other, and sleeps for some seconds before each. */
function makeSlowPipes(seconds: number): string {
  const cwd = folder();
  execFileSync("mkfifo", ["-m", "600", join(cwd, "one"), join(cwd, "two")]);
  const script = `sleep ${seconds}; echo ONE=1 > one; sleep ${seconds}; echo TWO=2 > two`;
  const writer = spawn("sh", ["-c", script], { cwd, stdio: "ignore", detached: true });
  onTestFinished(() => {
    // The writer may have ended already.
    if (writer.exitCode === null && writer.pid !== undefined) process.kill(-writer.pid, "SIGKILL");
  });
  return cwd;
}

const ARGUMENTS = ["--no-contract", "--dotenv", "one", "--dotenv", "two", "--", "sh", "-c", 'echo "$ONE$TWO"'];

test("a start reads named pipes whose writers write in time", async () => {
  expect(await sophia(ARGUMENTS, { cwd: makeSlowPipes(1) })).toMatchObject({ status: 0, stdout: "12\n" });
});

test("a start fails if its named pipes take more than five seconds together, even if each takes less", async () => {
  const { status, stdout, stderr } = await sophia(ARGUMENTS, { cwd: makeSlowPipes(4) });
  expect([status, stdout]).toEqual([125, ""]);
  expect(stderr).toContain("two");
});
