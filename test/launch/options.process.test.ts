import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { notInstalled } from "../helpers/skip.ts";
import { callerOpenFilesLimit } from "../../src/launch/open-files.ts";
import { addon, folder, sophiaRun } from "../helpers/sophia.ts";
import { waitForExit, useDriver } from "./driver-process.ts";
import { expectWording } from "../helpers/wording.ts";

const startDriver = useDriver();
/** A program that prints each signal to stop and ignores it, and ends with status 9 when it reads something. */
const STUBBORN = `process.on("SIGTERM", () => console.log("TERM")); process.on("SIGINT", () => console.log("INT"));
  process.on("SIGQUIT", () => console.log("QUIT")); process.on("SIGHUP", () => console.log("HUP"));
  process.stdin.on("data", () => process.exit(9)); setInterval(() => {}, 60_000); console.log("ready " + process.pid);`;

test.each(["SIGTERM", "SIGINT", "SIGQUIT"] as const)("--kill-after kills a program that ignores %s", async (signal) => {
  const { line, ended, child } = startDriver({ killAfterMs: 1000 }, process.execPath, "-e", STUBBORN);
  expect(await line()).toMatch(/^ready/);
  child.kill(signal);
  expect(await line()).toBe(signal.slice(3));
  expect(await ended).toEqual({ status: null, signal: "SIGKILL" });
});

test("--kill-after does not kill a program that ends in time", async () => {
  const script = 'process.on("SIGTERM", () => process.exit(9)); process.stdin.resume(); console.log("ready");';
  // The grace period is longer than a test may take, so the test shows that the launcher does not wait for its end.
  const { line, ended, child } = startDriver({ killAfterMs: 600_000 }, process.execPath, "-e", script);
  await line();
  child.kill("SIGTERM");
  expect(await ended).toEqual({ status: 9, signal: null });
});

test("--kill-after does not kill a program after SIGHUP, and nothing kills it without the option", async () => {
  for (const request of [{ killAfterMs: 1 }, {}]) {
    const { line, ended, child } = startDriver(request, process.execPath, "-e", STUBBORN);
    await line();
    child.kill("SIGHUP");
    expect(await line()).toBe("HUP");
    if (!("killAfterMs" in request)) {
      child.kill("SIGTERM");
      expect(await line()).toBe("TERM");
    }
    child.stdin?.end("\n");
    expect(await ended).toEqual({ status: 9, signal: null });
  }
});

/** Why tests that need setpriv cannot run; undefined if setpriv is installed. */
const missingSetpriv = spawnSync("setpriv", ["--version"]).status === 0 ? undefined : "needs setpriv of util-linux";
const noAddon = !existsSync(addon);

test("--die-with-launcher ends the program if the launcher is killed by SIGKILL", async ({ skip }) => {
  skip(noAddon && missingSetpriv !== undefined, missingSetpriv);
  const { line, child } = startDriver({ dieWithLauncher: true }, "sh", "-c", "echo $$; exec sleep 600");
  const program = Number(await line());
  onTestFinished(() => killIfAlive(program));
  child.kill("SIGKILL");
  await waitForExit(program);
  expect(existsSync(`/proc/${program}`)).toBe(false);
});

test("without --die-with-launcher the program outlives the launcher", async () => {
  const { line, child } = startDriver({}, process.execPath, "-e", STUBBORN);
  const program = Number((await line()).split(" ")[1]);
  onTestFinished(() => killIfAlive(program));
  child.kill("SIGKILL");
  await once(child, "exit");
  process.kill(program, "SIGTERM");
  expect(await line()).toBe("TERM");
});

test("--die-with-launcher and --restore-nofile change neither the program's command line nor its parent process", async ({
  skip,
}) => {
  skip(noAddon, "needs the addon");
  const script = 'tr "\\0" " " </proc/$$/cmdline; echo; grep PPid /proc/$$/status';
  const { line, ended, pid } = startDriver({ dieWithLauncher: true, restoreNofile: true }, "sh", "-c", script);
  expect(await line()).toBe(`sh -c ${script} `);
  expect(await line()).toBe(`PPid:\t${pid}`);
  expect(await ended).toEqual({ status: 0, signal: null });
});

test.for(["spawn", "exec"] as const)(
  "--restore-nofile gives the program the caller's soft limit in %s mode",
  (mode, { skip }) => {
    skip(noAddon, "needs the addon");
    const { spawnargs } = startDriver({ mode, restoreNofile: true }, "true").child;
    // The caller is a shell with a limit of its own. The shell must remain the launcher's parent process.
    const script = 'ulimit -Sn 512; "$0" "$@"; exit $?';
    const { stdout } = spawnSync("sh", ["-c", script, ...spawnargs.slice(0, 3), "sh", "-c", "ulimit -Sn; ulimit -Hn"], {
      encoding: "utf8",
    });
    const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    expect(stdout).toBe(`512\n${hard}\n`);
  },
);

test("--die-with-launcher without setpriv and the addon is refused before anything starts", () => {
  const { spawnargs } = startDriver({ dieWithLauncher: true }, "true").child;
  const args = ["--no-addons", ...spawnargs.slice(1, 3), "/bin/echo", "started"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    env: { PATH: "/no/such/folder" },
  });
  expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  expectWording(stderr);
});

test.each(["spawn", "exec"] as const)("--restore-nofile without the addon is refused in %s mode", (mode) => {
  const { spawnargs } = startDriver({ mode, restoreNofile: true }, "true").child;
  const args = [process.execPath, "--no-addons", ...spawnargs.slice(1, 3), "/bin/echo", "started"];
  const script = 'ulimit -Sn 512; "$0" "$@"; exit $?';
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script, ...args], { encoding: "utf8" });
  expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  const hasExecve = "execve" in process || mode === "spawn";
  expect(stderr).toMatch(hasExecve ? /^--restore-nofile .*addon/ : "--mode exec");
});

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has ended, as the test expects.
  }
}

test("--restore-nofile fails if the caller's limit is unknown, and is ignored on Windows", () => {
  expect(() => callerOpenFilesLimit("darwin")).toThrow(
    expect.objectContaining({ status: 125, code: "nofile-unknown" }),
  );
  expect(callerOpenFilesLimit("win32")).toBeUndefined();
});

test("--restore-nofile works with masked output, for which Node.js is the parent process", ({ skip }) => {
  skip(noAddon, "needs the addon");
  const launcher = [...sophiaRun, "--no-contract", "--redact", "--restore-nofile", "--"];
  const script = 'ulimit -Sn 512; "$0" "$@"; exit $?';
  const { stdout, stderr } = spawnSync("sh", ["-c", script, ...launcher, "sh", "-c", "ulimit -Sn; ulimit -Hn"], {
    encoding: "utf8",
    cwd: folder(),
  });
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  expect({ stdout, stderr }).toEqual({ stdout: `512\n${hard}\n`, stderr: "" });
});

test("--restore-nofile is refused as PID 1, whose parent is in another namespace", ({ skip }) => {
  const unshare = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"] as const;
  const problem = notInstalled("unshare", ...unshare, "true");
  skip(problem !== undefined, problem);
  const { spawnargs } = startDriver({ restoreNofile: true }, "true").child;
  const { status, stdout, stderr } = spawnSync("unshare", [...unshare, ...spawnargs.slice(0, 3), "echo", "started"], {
    encoding: "utf8",
  });
  expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  expectWording(stderr);
});
