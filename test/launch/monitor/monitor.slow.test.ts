/** The parent process in spawn mode on Linux, and its replacement if it cannot be executed: native/monitor/monitor.c. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { findIsolation } from "../../helpers/container.ts";
import { cleanPath } from "../../helpers/pack.ts";
import { addon, copyOfPackage, folder, isStandalone, sophiaRun } from "../../helpers/sophia.ts";
import { isAlive, WAIT_FOR_MONITOR, start, type Started } from "../../helpers/started.ts";
import { startAtTerminal } from "../../helpers/terminal.ts";

const MONITOR = `linux-${process.arch}-monitor`;
const reason = isStandalone || existsSync(addon) ? undefined : "needs the addon and the monitor";
beforeEach(({ skip }) => skip(reason !== undefined, reason));

const env = { PATH: cleanPath };
const SPAWN = ["--no-contract", "--mode", "spawn"] as const;

/** Prints its process ID and its parent's, then each signal that it gets; ends with status 9 on SIGTERM. */
const PROGRAM = [
  process.execPath,
  "-e",
  `for (const name of ["SIGTERM", "SIGINT", "SIGUSR2"])
     process.on(name, () => { console.log(name); if (name === "SIGTERM") process.exit(9); });
   setInterval(() => {}, 60_000);
   console.log("program", process.pid, process.ppid);`,
] as const;

async function running({ seen }: Started): Promise<{ readonly program: number; readonly parent: number }> {
  const [, program, parent] = await seen(/^program (\d+) (\d+)/m);
  const pids = { program: Number(program), parent: Number(parent) };
  onTestFinished(() => {
    if (isAlive(pids.program)) process.kill(pids.program, "SIGKILL");
  });
  return pids;
}

/** Runs a shell script by sophia-run in spawn mode, behind `prefix`. */
function run(script: string, prefix: readonly string[] = [], launcher: readonly string[] = sophiaRun) {
  const [command, ...args] = [...prefix, ...launcher, ...SPAWN, "--", "sh", "-c", script];
  const { status, signal, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    cwd: folder(),
    env: { ...env, SECRET: "s3cr3t-v4lue" },
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  return { status, signal, stdout, stderr };
}

test("before the monitor replaces Node.js, each thread blocks all signals", ({ skip }) => {
  skip(isStandalone, "Bun's threads are seen by no script");
  const file = join(dirname(addon), `linux-${process.arch}-monitor.node`);
  const script = `
    const { readdirSync, readFileSync } = require("node:fs");
    const monitor = require(process.argv[1]);
    monitor.holdSignals();
    const masks = readdirSync("/proc/self/task").map((thread) =>
      BigInt("0x" + /^SigBlk:\\s*(\\w+)/m.exec(readFileSync("/proc/self/task/" + thread + "/status", "latin1"))[1]));
    monitor.releaseSignals();
    // SIGKILL, SIGSTOP, and the two that the C library does not let its threads block.
    const exempt = (1n << 8n) | (1n << 18n) | (3n << 31n);
    console.log(masks.length, masks.filter((mask) => (mask | exempt) !== 0xffffffffffffffffn).length);`;
  const [threads, receiving] = execFileSync(process.execPath, ["-e", script, file], { encoding: "utf8" }).split(" ");
  expect(Number(threads)).toBeGreaterThan(3);
  expect(Number(receiving)).toBe(0);
});

describe("monitor and witness", () => {
  test("are two single-threaded processes of together less than 200 kB, and no Node.js", () => {
    const show = `${WAIT_FOR_MONITOR}; for pid in $PPID $(pgrep -P $PPID group-witness); do
      grep -E "^(Name|VmRSS|Threads)" /proc/$pid/status; done`;
    const lines = run(show).stdout.trim().split(/\s*\n/);
    expect(lines.filter((line) => !line.startsWith("VmRSS"))).toEqual([
      "Name:\tsophia-run",
      "Threads:\t1",
      "Name:\tgroup-witness",
      "Threads:\t1",
    ]);
    const sizes = lines.filter((line) => line.startsWith("VmRSS")).map((line) => Number(/\d+/.exec(line)?.[0]));
    expect(sizes).toHaveLength(2);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(200);
  });

  test("have no values, arguments and descriptors", ({ skip }) => {
    skip(process.geteuid?.() !== 0, "needs root, who alone can look at the monitor");
    const show = `${WAIT_FOR_MONITOR}; for pid in $PPID $(pgrep -P $PPID group-witness); do
      tr "\\0" " " <"/proc/$pid/cmdline" | tr -d 0-9; echo; wc -c <"/proc/$pid/environ"; ls "/proc/$pid/fd"; done`;
    expect(run(show)).toEqual({
      status: 0,
      signal: null,
      stdout: "sophia-run --monitor   -  \n0\ngroup-witness  \n0\n",
      stderr: "",
    });
  });

  test("a Ctrl-C that the parent also forwards, as npm does, is one SIGINT", async () => {
    const npm = `const child = require("node:child_process").spawn(process.argv[1], process.argv.slice(2), { stdio: ["inherit", "pipe", "inherit"] });
      let output = "";
      process.on("SIGINT", () => {});
      child.stdout.on("data", (text) => {
        process.stdout.write(text);
        output += text;
        if (!/SIGINT/.test(output)) return;
        child.stdout.removeAllListeners("data").pipe(process.stdout);
        child.kill("SIGINT");
        child.kill("SIGTERM");
      });
      child.on("close", (status) => process.exit(status));`;
    const command = [process.execPath, "-e", npm, "--", ...sophiaRun, ...SPAWN, "--", ...PROGRAM] as const;
    const started = startAtTerminal(command, { cwd: folder(), env }, [["program", "\u0003"]]);
    await running(started);
    const { status, stdout } = await started.finished;
    expect(stdout.replace(/^\^C/, "")).toMatch(/^program \d+ \d+\r\n(?:\^C)?SIGINT\r\nSIGTERM\r\n$/);
    expect(status).toBe(9);
  });

  test("a signal to all processes named sophia-run reaches the program", async () => {
    const started = start([...sophiaRun, ...SPAWN, "--", ...PROGRAM], { cwd: folder(), env });
    const { parent } = await running(started);
    // All of this name, and no other test's.
    expect(spawnSync("pkill", ["-USR2", "-g", String(started.pid), "-x", "sophia-run"]).status).toBe(0);
    await started.seen(/^SIGUSR2$/m);
    process.kill(parent, "SIGTERM");
    expect((await started.finished).stdout).toMatch(/\nSIGUSR2\nSIGTERM\n$/);
  });

  test("each of many real-time signals to the whole group reaches the program once", async () => {
    const program = `import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [40, 41])
print("program", os.getpid(), os.getppid(), flush=True)
count = 0
while signal.sigwait([40, 41]) == 40: count += 1
print(count)`;
    const started = start([...sophiaRun, ...SPAWN, "--", "python3", "-c", program], { cwd: folder(), env });
    const { parent } = await running(started);
    for (let sent = 0; sent < 20; sent++) process.kill(-parent, 40);
    // The kernel delivers it last.
    process.kill(parent, 41);
    expect(await started.finished).toMatchObject({ status: 0, stdout: expect.stringMatching(/\n20\n$/), stderr: "" });
  });

  test("a signal to sophia-run alone reaches the program behind one to the group, about which the witness answers late", async () => {
    const started = start([...sophiaRun, ...SPAWN, "--", ...PROGRAM], { cwd: folder(), env });
    const { parent } = await running(started);
    const untilReplaced = `until grep -qx sophia-run /proc/${parent}/comm && pgrep -P ${parent} -x group-witness; do :; done`;
    const witness = Number(spawnSync("sh", ["-c", untilReplaced], { encoding: "utf8", timeout: 20_000 }).stdout);
    process.kill(witness, "SIGSTOP");
    const untilStopped = `until grep -q "^State:.T" /proc/${witness}/status; do :; done`;
    expect(spawnSync("sh", ["-c", untilStopped], { timeout: 20_000 }).status).toBe(0);
    // The monitor asks about SIGINT, gets no answer, and continues the witness. The answer comes when it asks about SIGUSR2.
    process.kill(-parent, "SIGINT");
    process.kill(parent, "SIGUSR2");
    await started.seen(/^SIGUSR2$/m);
    process.kill(parent, "SIGTERM");
    const { status, stdout } = await started.finished;
    // Two threads of Node.js may take two signals, and report them in any order. Without an answer SIGINT may come twice.
    expect(new Set(stdout.trimEnd().split("\n").slice(1))).toEqual(new Set(["SIGINT", "SIGUSR2", "SIGTERM"]));
    expect(status).toBe(9);
  });

  test("after a SIGSTOP to the whole group, a SIGCONT to sophia-run alone continues the program", async () => {
    const started = start([...sophiaRun, ...SPAWN, "--", ...PROGRAM], { cwd: folder(), env });
    const { program, parent } = await running(started);
    process.kill(-parent, "SIGSTOP");
    for (const pid of [program, parent]) {
      const untilStopped = `until grep -q "^State:.T" /proc/${pid}/status; do :; done`;
      expect(spawnSync("sh", ["-c", untilStopped], { timeout: 20_000 }).status).toBe(0);
    }
    process.kill(parent, "SIGCONT");
    process.kill(parent, "SIGTERM");
    expect(await started.finished).toMatchObject({ status: 9, stderr: "" });
  });

  test("--kill-after begins with a SIGTERM to the whole group", async () => {
    const script = `process.on("SIGTERM", () => console.log("TERM")); setInterval(() => {}, 60_000); console.log("ready");`;
    const command = ["setsid", "--wait", ...sophiaRun, "--no-contract", "--kill-after", "1s", "--"] as const;
    const started = start([...command, process.execPath, "-e", `console.log("group", process.ppid); ${script}`], {
      cwd: folder(),
      env,
    });
    const [, group] = await started.seen(/^group (\d+)\nready/m);
    process.kill(-Number(group), "SIGTERM");
    // setsid(1) exits with the number of the signal that has killed its child.
    expect(await started.finished).toMatchObject({ status: 9, stdout: `group ${group}\nready\nTERM\n` });
  });
});

describe("a monitor that cannot be executed", () => {
  const other = process.arch === "x64" ? "arm64" : "x64";
  const cases: Readonly<Record<string, (monitor: string, dist: string) => void>> = {
    "lacks the permission": (monitor) => chmodSync(monitor, 0o644),
    "is damaged": (monitor) => writeFileSync(monitor, "\0"),
    "is for another processor": (monitor, dist) => copyFileSync(join(dist, `linux-${other}-monitor`), monitor),
  };

  beforeEach(({ skip }) => skip(isStandalone, "an executable has no file of its own for it"));

  test.each(Object.entries(cases))(
    "and %s: the program starts, gets signals and its end is mirrored",
    async (_, spoil) => {
      const place = copyOfPackage();
      spoil(join(place, "dist", MONITOR), join(place, "dist"));
      const launcher = [process.execPath, "--", join(place, "bin/sophia-run"), ...SPAWN, "--"] as const;
      const started = start([...launcher, ...PROGRAM], { cwd: folder(), env });
      const { parent } = await running(started);
      expect(parent).toBe(started.pid);
      process.kill(parent, "SIGUSR2");
      await started.seen(/^SIGUSR2$/m);
      process.kill(parent, "SIGTERM");
      expect(await started.finished).toMatchObject({ status: 9, signal: null, stderr: "" });
      expect(run("kill -KILL $$", [], launcher.slice(0, 3))).toMatchObject({ status: null, signal: "SIGKILL" });
    },
  );
});

describe("limits of the system", () => {
  test("no file may grow (RLIMIT_FSIZE 0)", () => {
    // It takes its time, in which a launcher of JavaScript has written to files of its own.
    const script = `exec "${process.execPath}" -e "process.exit(7)"`;
    expect(run(script, ["prlimit", "--fsize=0"])).toMatchObject({ status: 7, stderr: "" });
  });

  test("no signal may be queued (RLIMIT_SIGPENDING 0): a signal reaches the program at once", () => {
    const script = 'trap "exit 9" TERM; (kill -TERM $PPID); while :; do sleep 0.05; done';
    expect(run(script, ["prlimit", "--sigpending=0"])).toMatchObject({ status: 9, stderr: "" });
  });

  test.each([["prctl"], ["rt_sigqueueinfo"], ["prctl", "rt_sigqueueinfo"]])(
    "a filter of system calls refuses %s: signals and the end are passed on",
    (...names) => {
      const filter = ["python3", join(import.meta.dirname, "seccomp.py"), ...names, "--"];
      const script = 'trap "exit 9" TERM; (kill -TERM $PPID); while :; do sleep 0.05; done';
      expect(run(script, filter)).toMatchObject({ status: 9, stderr: "" });
    },
  );

  test("a filter of system calls refuses kill: the end is passed on", () => {
    const filter = ["python3", join(import.meta.dirname, "seccomp.py"), "kill", "--"];
    expect(run("exit 7", filter)).toEqual({ status: 7, signal: null, stdout: "", stderr: "" });
  });

  test("as PID 1 on a read-only file system", ({ skip }) => {
    const isolation = findIsolation();
    skip("reason" in isolation, "needs a PID namespace");
    const prefix = "prefix" in isolation ? isolation.prefix : [];
    const readOnly = ["sh", "-c", 'mount -o remount,bind,ro / && exec "$@"', "sh"];
    const result = run("echo $PPID; kill -TERM $$", [...prefix, ...readOnly]);
    expect(result).toEqual({ status: 143, signal: null, stdout: "1\n", stderr: "" });
  });
});
