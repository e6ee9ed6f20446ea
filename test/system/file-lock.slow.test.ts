import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { sleep } from "../../src/system/blocking.ts";
import { withFileLock } from "../../src/system/file-lock.ts";
import { folder } from "../helpers/sophia.ts";

/** Starts a process that takes the lock, and blocks this process until it has the lock. */
function takeLockInOtherProcess(path: string): void {
  const script = join(import.meta.dirname, "lock-holder.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, path], { stdio: ["ignore", "ignore", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const end = process.uptime() + 30;
  while (!existsSync(join(path, "taken")) && process.uptime() < end) sleep(5);
  expect(existsSync(join(path, "taken"))).toBe(true);
}

/** Makes the lock of a process that was killed. */
function leaveStaleLock(path: string): void {
  const lock = join(path, "file.lock");
  mkdirSync(lock, { mode: 0o700 });
  writeFileSync(join(lock, "holder-killed"), "", { mode: 0o600 });
  utimesSync(join(lock, "holder-killed"), 0, 0);
  utimesSync(lock, 0, 0);
}

test("a process that has seen a stale lock does not remove the lock by which another process has replaced it", async () => {
  const path = folder();
  leaveStaleLock(path);
  let ageChecks = 0;
  const now = Date.now;
  // The age of the lock is checked between looking at the lock and removing it.
  const clock = vi.spyOn(Date, "now").mockImplementation(() => {
    ageChecks += 1;
    if (ageChecks === 1) takeLockInOtherProcess(path);
    // Until now, this process has tried several times to take the lock.
    if (ageChecks === 5) writeFileSync(join(path, "release"), "");
    return now();
  });
  onTestFinished(() => {
    clock.mockRestore();
  });
  const locked = await withFileLock(join(path, "file"), () => existsSync(join(path, "released")), "this-process");
  expect(locked).toStrictEqual({ result: true });
  expect(ageChecks).toBeGreaterThanOrEqual(5);
});

test("a process whose lock was stale does not remove the lock of its successor", async () => {
  const path = folder();
  const change = (): string => {
    const [holder = ""] = readdirSync(join(path, "file.lock"));
    utimesSync(join(path, "file.lock", holder), 0, 0);
    takeLockInOtherProcess(path);
    return holder;
  };
  const locked = await withFileLock(join(path, "file"), change, "this-process");
  expect(locked).toStrictEqual({ result: "holder-this-process" });
  expect(readdirSync(join(path, "file.lock"))).toStrictEqual(["holder-other-process"]);
  writeFileSync(join(path, "release"), "");
});

test("the lock can be taken with a umask that removes the permissions of the user, and its folder is made", async () => {
  const path = join(folder(), "config", "sophia-run");
  const formerMask = process.umask(0o777);
  onTestFinished(() => void process.umask(formerMask));
  // The superuser could use a folder without permissions, so the test looks at the permissions.
  const modes = (): readonly number[] =>
    [dirname(path), path, join(path, "file.lock")].map((made) => statSync(made).mode & 0o777);
  const locked = await withFileLock(join(path, "file"), modes, "process");
  expect(locked).toStrictEqual({ result: [0o700, 0o700, 0o700] });
  expect(process.umask()).toBe(0o777);
});
