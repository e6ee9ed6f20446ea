/**
 * The monitor, which is the parent process of the program in spawn mode on Linux (native/monitor/monitor.c), and Node.js, which
 * remains the parent process if the monitor cannot be executed.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { findIsolation } from "../../helpers/container.ts";
import { cleanPath } from "../../helpers/pack.ts";
import { addon, copyPackage, folder, isStandalone, sophiaRun } from "../../helpers/sophia.ts";
import { isAlive, WAIT_FOR_MONITOR, startProcess, type StartedProcess } from "../../helpers/start-process.ts";
import { startAtTerminal } from "../../helpers/terminal.ts";

const MONITOR = `linux-${process.arch}-monitor`;
const skipReason = isStandalone || existsSync(addon) ? undefined : "needs the addon and the monitor";
beforeEach(({ skip }) => skip(skipReason !== undefined, skipReason));

/** Where the header of an ELF file names the processor (`e_machine`), and the number of one that is neither x64 nor arm64. */
const [E_MACHINE_OFFSET, EM_RISCV] = [18, 243];

const env = { PATH: cleanPath };
const SPAWN = ["--no-contract", "--mode", "spawn"] as const;

/** Prints its process ID and that of its parent process, then each signal that it gets, and ends with status 9 on SIGTERM. */
const PROGRAM = [
  process.execPath,
  "-e",
  `for (const name of ["SIGTERM", "SIGINT", "SIGUSR2"])
     process.on(name, () => { console.log(name); if (name === "SIGTERM") process.exit(9); });
   setInterval(() => {}, 60_000);
   console.log("program", process.pid, process.ppid);`,
] as const;

/** Waits until {@link PROGRAM} runs, and returns both process IDs. */
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

/** Has sophia-run run a shell script in spawn mode. `prefix` is a command that executes its arguments. */
function runScript(script: string, prefix: readonly string[] = [], launcher: readonly string[] = sophiaRun) {
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
    // SIGKILL and SIGSTOP cannot be blocked, and the C library does not let threads block two other signals.
    const exempt = (1n << 8n) | (1n << 18n) | (3n << 31n);
    console.log(masks.length, masks.filter((mask) => (mask | exempt) !== 0xffffffffffffffffn).length);`;
  const [threads, receiving] = execFileSync(process.execPath, ["-e", script, file], { encoding: "utf8" }).split(" ");
  expect(Number(threads)).toBeGreaterThan(3);
  expect(Number(receiving)).toBe(0);
});

describe("the monitor and its witness", () => {
  test("are two processes with one thread each, and need less than 200 kB together", () => {
    const script = `${WAIT_FOR_MONITOR}; for pid in $PPID $(pgrep -P $PPID group-witness); do
      grep -E "^(Name|VmRSS|Threads)" /proc/$pid/status; done`;
    const lines = runScript(script).stdout.trim().split(/\s*\n/);
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

  test("have neither values nor arguments nor descriptors of the program", ({ skip }) => {
    skip(process.geteuid?.() !== 0, "needs root, who alone can read the monitor's files in /proc");
    const script = `${WAIT_FOR_MONITOR}; for pid in $PPID $(pgrep -P $PPID group-witness); do
      tr "\\0" " " <"/proc/$pid/cmdline" | tr -d 0-9; echo; wc -c <"/proc/$pid/environ"; ls "/proc/$pid/fd"; done`;
    expect(runScript(script)).toEqual({
      status: 0,
      signal: null,
      stdout: "sophia-run --monitor   -  \n0\ngroup-witness  \n0\n",
      stderr: "",
    });
  });

  test("deliver one SIGINT if the user presses Ctrl-C and the parent process forwards it, as npm does", async () => {
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
    await waitForProgram(started);
    const { status, stdout } = await started.finished;
    expect(stdout.replace(/^\^C/, "")).toMatch(/^program \d+ \d+\r\n(?:\^C)?SIGINT\r\nSIGTERM\r\n$/);
    expect(status).toBe(9);
  });

  test("pass a signal on that is sent to all processes named sophia-run", async () => {
    const started = startProcess([...sophiaRun, ...SPAWN, "--", ...PROGRAM], { cwd: folder(), env });
    const { parent } = await waitForProgram(started);
    // pkill signals all processes of this name, but in this group only, so no process of another test.
    expect(spawnSync("pkill", ["-USR2", "-g", String(started.pid), "-x", "sophia-run"]).status).toBe(0);
    await started.waitForStdout(/^SIGUSR2$/m);
    process.kill(parent, "SIGTERM");
    expect((await started.finished).stdout).toMatch(/\nSIGUSR2\nSIGTERM\n$/);
  });

  test("let each of many real-time signals to the whole group reach the program once", async () => {
    const program = `import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [40, 41])
print("program", os.getpid(), os.getppid(), flush=True)
count = 0
while signal.sigwait([40, 41]) == 40: count += 1
print(count)`;
    const started = startProcess([...sophiaRun, ...SPAWN, "--", "python3", "-c", program], { cwd: folder(), env });
    const { parent } = await waitForProgram(started);
    for (let count = 0; count < 20; count++) process.kill(-parent, 40);
    // The kernel delivers signal 41 after all signals 40.
    process.kill(parent, 41);
    expect(await started.finished).toMatchObject({ status: 0, stdout: expect.stringMatching(/\n20\n$/), stderr: "" });
  });

  test("pass on a signal to sophia-run alone, even if the witness answers late about an earlier signal to the group", async () => {
    const started = startProcess([...sophiaRun, ...SPAWN, "--", ...PROGRAM], { cwd: folder(), env });
    const { parent } = await waitForProgram(started);
    const untilReplaced = `until grep -qx sophia-run /proc/${parent}/comm && pgrep -P ${parent} -x group-witness; do :; done`;
    const witness = Number(spawnSync("sh", ["-c", untilReplaced], { encoding: "utf8", timeout: 20_000 }).stdout);
    process.kill(witness, "SIGSTOP");
    const untilStopped = `until grep -q "^State:.T" /proc/${witness}/status; do :; done`;
    expect(spawnSync("sh", ["-c", untilStopped], { timeout: 20_000 }).status).toBe(0);
    // The monitor asks the witness about SIGINT, gets no answer, and sends SIGCONT to the witness. The answer about SIGINT arrives
    // when the monitor asks about SIGUSR2.
    process.kill(-parent, "SIGINT");
    process.kill(parent, "SIGUSR2");
    await started.waitForStdout(/^SIGUSR2$/m);
    process.kill(parent, "SIGTERM");
    const { status, stdout } = await started.finished;
    // Two threads of Node.js may take the two signals, and report them in any order. SIGINT may arrive twice, since the monitor
    // got
    // no answer about it.
    expect(new Set(stdout.trimEnd().split("\n").slice(1))).toEqual(new Set(["SIGINT", "SIGUSR2", "SIGTERM"]));
    expect(status).toBe(9);
  });

  test("continue the program on a SIGCONT to sophia-run alone, after a SIGSTOP to the whole group", async () => {
    const started = startProcess([...sophiaRun, ...SPAWN, "--", ...PROGRAM], { cwd: folder(), env });
    const { program, parent } = await waitForProgram(started);
    process.kill(-parent, "SIGSTOP");
    for (const pid of [program, parent]) {
      const untilStopped = `until grep -q "^State:.T" /proc/${pid}/status; do :; done`;
      expect(spawnSync("sh", ["-c", untilStopped], { timeout: 20_000 }).status).toBe(0);
    }
    process.kill(parent, "SIGCONT");
    process.kill(parent, "SIGTERM");
    expect(await started.finished).toMatchObject({ status: 9, stderr: "" });
  });

  test("kill the program some time after a SIGTERM to the whole group, if --kill-after is given", async () => {
    const script = `process.on("SIGTERM", () => console.log("TERM")); setInterval(() => {}, 60_000); console.log("ready");`;
    const command = ["setsid", "--wait", ...sophiaRun, "--no-contract", "--kill-after", "1s", "--"] as const;
    const started = startProcess(
      [...command, process.execPath, "-e", `console.log("group", process.ppid); ${script}`],
      {
        cwd: folder(),
        env,
      },
    );
    const [, group] = await started.waitForStdout(/^group (\d+)\nready/m);
    process.kill(-Number(group), "SIGTERM");
    // setsid(1) exits with the number of the signal that has killed its child.
    expect(await started.finished).toMatchObject({ status: 9, stdout: `group ${group}\nready\nTERM\n` });
  });
});

describe("if the monitor cannot be executed", () => {
  const cases: Readonly<Record<string, (monitor: string) => void>> = {
    "lacks the permission": (monitor) => chmodSync(monitor, 0o644),
    "is damaged": (monitor) => writeFileSync(monitor, "\0"),
    "is for another processor": (monitor) => {
      const file = readFileSync(monitor);
      file.writeUInt16LE(EM_RISCV, E_MACHINE_OFFSET);
      writeFileSync(monitor, file);
    },
  };

  beforeEach(({ skip }) => skip(isStandalone, "the executable contains the monitor, which is no file of its own"));

  test.each(Object.entries(cases))(
    "because it %s, Node.js starts the program, forwards signals and ends as the program ends",
    async (_, spoil) => {
      const packageFolder = copyPackage();
      spoil(join(packageFolder, "dist", MONITOR));
      const launcher = [process.execPath, "--", join(packageFolder, "bin/sophia-run"), ...SPAWN, "--"] as const;
      const started = startProcess([...launcher, ...PROGRAM], { cwd: folder(), env });
      const { parent } = await waitForProgram(started);
      expect(parent).toBe(started.pid);
      process.kill(parent, "SIGUSR2");
      await started.waitForStdout(/^SIGUSR2$/m);
      process.kill(parent, "SIGTERM");
      expect(await started.finished).toMatchObject({ status: 9, signal: null, stderr: "" });
      expect(runScript("kill -KILL $$", [], launcher.slice(0, 3))).toMatchObject({ status: null, signal: "SIGKILL" });
    },
  );
});

describe("sophia-run starts the program and ends as the program ends", () => {
  test("if no file may grow (RLIMIT_FSIZE 0)", () => {
    // Starting Node.js takes long enough for a launcher in JavaScript to write to files of its own.
    const script = `exec "${process.execPath}" -e "process.exit(7)"`;
    expect(runScript(script, ["prlimit", "--fsize=0"])).toMatchObject({ status: 7, stderr: "" });
  });

  test("if no signal may be queued (RLIMIT_SIGPENDING 0), and passes a signal on", () => {
    const script = 'trap "exit 9" TERM; (kill -TERM $PPID); while :; do sleep 0.05; done';
    expect(runScript(script, ["prlimit", "--sigpending=0"])).toMatchObject({ status: 9, stderr: "" });
  });

  test.each([["prctl"], ["rt_sigqueueinfo"], ["prctl", "rt_sigqueueinfo"]])(
    "if a filter of system calls refuses %s, and passes a signal on",
    (...names) => {
      const filter = ["python3", join(import.meta.dirname, "seccomp.py"), ...names, "--"];
      const script = 'trap "exit 9" TERM; (kill -TERM $PPID); while :; do sleep 0.05; done';
      expect(runScript(script, filter)).toMatchObject({ status: 9, stderr: "" });
    },
  );

  test("if a filter of system calls refuses kill", () => {
    const filter = ["python3", join(import.meta.dirname, "seccomp.py"), "kill", "--"];
    expect(runScript("exit 7", filter)).toEqual({ status: 7, signal: null, stdout: "", stderr: "" });
  });

  test("if it is PID 1 on a read-only file system", ({ skip }) => {
    const isolation = findIsolation();
    skip("reason" in isolation, "needs a PID namespace");
    const prefix = "prefix" in isolation ? isolation.prefix : [];
    const readOnly = ["sh", "-c", 'mount -o remount,bind,ro / && exec "$@"', "sh"];
    const result = runScript("echo $PPID; kill -TERM $$", [...prefix, ...readOnly]);
    expect(result).toEqual({ status: 143, signal: null, stdout: "1\n", stderr: "" });
  });
});
