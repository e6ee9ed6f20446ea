import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { notInstalled } from "../helpers/skip.ts";
import { withCallersOpenFiles } from "../../src/launch/helper-programs.ts";
import { addon, becomesProgram } from "../helpers/sophia.ts";
import { gone, useDriver } from "./launching.ts";

const start = useDriver();
/** Ignores requests to stop. */
const STUBBORN = `process.on("SIGTERM", () => console.log("TERM")); process.on("SIGINT", () => console.log("INT"));
  process.on("SIGQUIT", () => console.log("QUIT")); process.on("SIGHUP", () => console.log("HUP"));
  process.stdin.on("data", () => process.exit(9)); setInterval(() => {}, 60_000); console.log("ready " + process.pid);`;

test.each(["SIGTERM", "SIGINT", "SIGQUIT"] as const)(
  "--kill-after: a program that ignores %s is killed",
  async (signal) => {
    const { line, ended, child } = start({ killAfterMs: 50 }, process.execPath, "-e", STUBBORN);
    expect(await line()).toMatch(/^ready/);
    child.kill(signal);
    expect(await line()).toBe(signal.slice(3));
    expect(await ended).toEqual({ status: null, signal: "SIGKILL" });
  },
);

test("--kill-after: a program that ends in time is not killed", async () => {
  const script = 'process.on("SIGTERM", () => process.exit(9)); process.stdin.resume(); console.log("ready");';
  const { line, ended, child } = start({ killAfterMs: 30_000 }, process.execPath, "-e", script);
  await line();
  const began = performance.now();
  child.kill("SIGTERM");
  expect(await ended).toEqual({ status: 9, signal: null });
  expect(performance.now() - began).toBeLessThan(30_000);
});

test("--kill-after: SIGHUP is not a request to stop, and without the option nothing is killed", async () => {
  for (const request of [{ killAfterMs: 1 }, {}]) {
    const { line, ended, child } = start(request, process.execPath, "-e", STUBBORN);
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

/** Why tests that need a command cannot run; undefined where it is installed. */
const noSetpriv = spawnSync("setpriv", ["--version"]).status === 0 ? undefined : "needs setpriv of util-linux";
const noAddon = !existsSync(addon);
const noPrlimit = spawnSync("prlimit", ["--version"]).status === 0 ? undefined : "needs prlimit of util-linux";

test("--die-with-launcher: SIGKILL of the launcher is the program's end", async ({ skip }) => {
  skip(noAddon && noSetpriv !== undefined, noSetpriv);
  const { line, child } = start({ dieWithLauncher: true }, "sh", "-c", "echo $$; exec sleep 600");
  const program = Number(await line());
  onTestFinished(() => killed(program));
  child.kill("SIGKILL");
  await gone(program);
  expect(existsSync(`/proc/${program}`)).toBe(false);
});

test("without --die-with-launcher the program lives on", async () => {
  const { line, child } = start({}, process.execPath, "-e", STUBBORN);
  const program = Number((await line()).split(" ")[1]);
  onTestFinished(() => killed(program));
  child.kill("SIGKILL");
  await once(child, "exit");
  process.kill(program, "SIGTERM");
  expect(await line()).toBe("TERM");
});

test("the options leave no trace but what they set", async ({ skip }) => {
  const reason = noSetpriv ?? noPrlimit;
  skip(noAddon && reason !== undefined, reason);
  const show = 'tr "\\0" " " </proc/$$/cmdline; echo; grep PPid /proc/$$/status';
  const { line, ended, pid } = start({ dieWithLauncher: true, restoreNofile: true }, "sh", "-c", show);
  expect(await line()).toBe(`sh -c ${show} `);
  expect(await line()).toBe(`PPid:\t${pid}`);
  expect(await ended).toEqual({ status: 0, signal: null });
});

test.for(["spawn", "exec"] as const)(
  "--restore-nofile in %s mode: the program has the caller's soft limit",
  (mode, { skip }) => {
    skip(noAddon && noPrlimit !== undefined, noPrlimit);
    skip(mode === "exec" && !becomesProgram, "needs the addon or process.execve to become the program");
    const { spawnargs } = start({ mode, restoreNofile: true }, "true").child;
    // The caller is a shell with a limit of its own; it must stay the launcher's parent.
    const script = 'ulimit -Sn 512; "$0" "$@"; exit $?';
    const { stdout } = spawnSync("sh", ["-c", script, ...spawnargs.slice(0, 3), "sh", "-c", "ulimit -Sn; ulimit -Hn"], {
      encoding: "utf8",
    });
    const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    expect(stdout).toBe(`512\n${hard}\n`);
  },
);

test.each([["--die-with-launcher", "setpriv", { dieWithLauncher: true }]])(
  "%s without %s and the addon is refused before anything starts",
  async (option, helper, request) => {
    const { spawnargs } = start(request, "true").child;
    const args = ["--no-addons", ...spawnargs.slice(1, 3), "/bin/echo", "started"];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      env: { PATH: "/no/such/folder" },
    });
    expect({ status, stdout, stderr }).toEqual({
      status: 125,
      stdout: "",
      stderr: `${option} needs ${helper} of util-linux, which was not found\n`,
    });
  },
);

function killed(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone, as it should be.
  }
}

test("--restore-nofile where the system does not tell the caller's limit, and where there is none", () => {
  const program = { file: "/bin/tool", argv: ["tool"], environment: new Map() } as const;
  expect(() => withCallersOpenFiles(program, "darwin")).toThrow(
    expect.objectContaining({ status: 125, message: expect.stringContaining("needs /proc") }),
  );
  expect(withCallersOpenFiles(program, "win32")).toBe(program);
});

test("--restore-nofile as PID 1, whose parent is elsewhere", ({ skip }) => {
  const unshare = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"] as const;
  const problem = notInstalled("unshare", ...unshare, "true");
  skip(problem !== undefined, problem);
  const { spawnargs } = start({ restoreNofile: true }, "true").child;
  const { status, stdout, stderr } = spawnSync("unshare", [...unshare, ...spawnargs.slice(0, 3), "echo", "started"], {
    encoding: "utf8",
  });
  expect({ status, stdout }).toEqual({ status: 125, stdout: "" });
  expect(stderr).toContain("--restore-nofile cannot tell the caller's limit");
});
