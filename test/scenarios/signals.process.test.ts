import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startEscServer } from "../esc-server/index.ts";
import { findIsolation, startContainer } from "../helpers/container.ts";
import { cleanPath } from "../helpers/pack.ts";
import { notLinux, skipBecause } from "../helpers/skip.ts";
import { addon, supportsExecMode, folder, isStandalone, sophiaRun } from "../helpers/sophia.ts";
import { isAlive, startProcess, type StartedProcess } from "../helpers/start-process.ts";
import { startAtTerminal } from "../helpers/terminal.ts";

// Statements of docs/signals.md that the conformance suite does not cover.

const env = { PATH: cleanPath };

/** Prints its process ID and its parent's, then each signal that it gets; ends with status 9 on SIGTERM. */
const PROGRAM = [
  process.execPath,
  "-e",
  `for (const name of ["SIGTERM", "SIGINT", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT", "SIGWINCH"])
     process.on(name, () => { console.log(name); if (name === "SIGTERM") process.exit(9); });
   setInterval(() => {}, 60_000);
   console.log("program", process.pid, process.ppid);`,
] as const;

/** The same command, with Node.js told to load no addon. A stand-alone executable cannot make the files for it. */
function withoutAddon([command, ...rest]: readonly [string, ...string[]]): readonly [string, ...string[]] {
  const filter = ["python3", join(import.meta.dirname, "../launch/monitor/seccomp.py"), "memfd_create", "--"] as const;
  return isStandalone ? [...filter, command, ...rest] : [command, "--no-addons", ...rest];
}

function launchCommand(options: readonly string[], program: readonly string[]): readonly [string, ...string[]] {
  return [...sophiaRun, "--no-contract", ...options, "--", ...program];
}

/** Waits until PROGRAM handles signals. It is killed when the test ends, whatever became of its launcher. */
async function waitForProgram({
  waitForStdout,
}: StartedProcess): Promise<{ readonly program: number; readonly parent: number }> {
  const [, program, parent] = await waitForStdout(/^program (\d+) (\d+)/m);
  const pids = { program: Number(program), parent: Number(parent) };
  onTestFinished(() => {
    if (isAlive(pids.program)) process.kill(pids.program, "SIGKILL");
  });
  return pids;
}

describe.each(["spawn", "exec"] as const)("in mode %s", (mode) => {
  skipBecause(mode === "exec" && !supportsExecMode ? "needs the addon, or Node.js 22.15" : undefined);
  const command = launchCommand(["--mode", mode], PROGRAM);

  test("a shell as the parent process dies by SIGTERM, and the program continues", async () => {
    const shell = startProcess(["sh", "-c", '"$@"; exit $?', "sh", ...command], { cwd: folder(), env });
    const { program } = await waitForProgram(shell);
    process.kill(shell.pid, "SIGTERM");
    // The end of the shell is reported when no process holds its standard streams: until then the program runs.
    process.kill(program, "SIGTERM");
    expect(await shell.finished).toMatchObject({ status: null, signal: "SIGTERM" });
  });

  test("a shell that sophia-run replaces passes SIGTERM on", async () => {
    const shell = startProcess(["sh", "-c", 'exec "$@"', "sh", ...command], { cwd: folder(), env });
    await waitForProgram(shell);
    process.kill(shell.pid, "SIGTERM");
    expect(await shell.finished).toMatchObject({ status: 9, signal: null });
  });

  test("SIGTERM while sophia-run reads ESC ends sophia-run, and no program starts", async () => {
    await using server = await startEscServer();
    server.environment("acme/sophia/dev", { values: { A: "1" } });
    server.failAlways("open", "hang");
    const started = startProcess(launchCommand(["--mode", mode], ["echo", "started"]), {
      cwd: folder(),
      env: { ...env, ESC_ENV: "acme/sophia/dev", ESC_TOKEN: server.token, PULUMI_BACKEND_URL: server.url },
    });
    await server.waitFor("open");
    process.kill(started.pid, "SIGTERM");
    expect(await started.finished).toEqual({ status: null, signal: "SIGTERM", stdout: "", stderr: "" });
  });
});

describe("in spawn mode without the addon", () => {
  skipBecause(notLinux);

  // By number: Node.js has no names for real-time signals.
  test.each([
    ["SIGSEGV", 11],
    ["SIGBUS", 7],
    ["SIGFPE", 8],
    ["SIGILL", 4],
    ["a real-time signal", 40],
  ])("%s kills only sophia-run", async (_, number) => {
    const command = withoutAddon(launchCommand(["--mode", "spawn"], PROGRAM));
    const shell = startProcess(["sh", "-c", '"$@"; echo "ended $?"', "sh", ...command], { cwd: folder(), env });
    const { program, parent } = await waitForProgram(shell);
    process.kill(parent, number);
    expect((await shell.waitForStdout(/^ended (\d+)$/m))[1]).toBe(String(128 + number));
    process.kill(program, "SIGTERM");
    expect((await shell.finished).stdout).toMatch(/\nended \d+\nSIGTERM\n$/);
  });

  test("in the foreground of a terminal the signals of its keys are ignored if another process sends them", async () => {
    const started = startAtTerminal(withoutAddon(launchCommand(["--mode", "spawn"], PROGRAM)), { cwd: folder(), env });
    const { parent } = await waitForProgram(started);
    const keys = ["SIGINT", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT", "SIGWINCH"] as const;
    for (const signal of keys) process.kill(parent, signal);
    process.kill(parent, "SIGTERM");
    const { status, stdout } = await started.finished;
    expect(stdout).toMatch(/^program \d+ \d+\r\nSIGTERM\r\n$/);
    expect(status).toBe(9);
  });
});

describe("in spawn mode", () => {
  skipBecause(notLinux);

  test("--kill-after does not begin with Ctrl-C", async () => {
    // A kill would come long before the program's own end.
    const script = `process.on("SIGINT", () => setTimeout(() => process.exit(9), 300)); setInterval(() => {}, 60_000);
      console.log("ready");`;
    const command = launchCommand(["--kill-after", "1ms"], [process.execPath, "-e", script]);
    const started = startAtTerminal(command, { cwd: folder(), env }, [["ready", "\u0003"]]);
    expect((await started.finished).status).toBe(9);
  });
});

describe("as PID 1 of a container", () => {
  const isolation = findIsolation();
  const prefix = "prefix" in isolation ? isolation.prefix : (["false"] as const);
  skipBecause("reason" in isolation ? `needs a PID namespace: ${isolation.reason}` : undefined);

  /** Leaves an orphan behind, in a program that reaps none, and looks at it until `condition` holds. */
  const orphanUntil = (mode: string, condition: string) => {
    const look = `const { readFileSync } = require("node:fs");
      const state = () => { try { return /\\) (\\S)/.exec(readFileSync("/proc/" + process.argv[1] + "/stat", "latin1"))[1]; } catch { return "gone"; } };
      setInterval(() => { if (${condition}) { console.log("orphan: " + state()); process.exit(0); } }, 5);`;
    const script = 'orphan=$(sleep 0.1 >/dev/null & echo $!); exec "$0" -e "$1" "$orphan"';
    const command = launchCommand(["--mode", mode], ["sh", "-c", script, process.execPath, look]);
    return startContainer(prefix, command, { cwd: folder(), env }).finished;
  };

  test("exec mode leaves orphans to the program, as zombies if it does not reap them", async ({ skip }) => {
    skip(!supportsExecMode, "needs the addon, or Node.js 22.15");
    expect(await orphanUntil("exec", 'state() === "Z"')).toMatchObject({ status: 0, stdout: "orphan: Z\n" });
  });

  test("spawn mode reaps orphans", async ({ skip }) => {
    skip(!isStandalone && !existsSync(addon), "needs the addon");
    expect(await orphanUntil("spawn", 'state() === "gone"')).toMatchObject({ status: 0, stdout: "orphan: gone\n" });
  });
});
