/**
 * Secret files in exec mode. The launcher is replaced by the program, so another process, the cleaner, removes the files when the
 * program has ended (native/monitor/secret-files.inc).
 */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { findIsolation } from "../../helpers/container.ts";
import { noNobody } from "../../helpers/nobody.ts";
import { missingCommand, skipBecause } from "../../helpers/skip.ts";
import { cleanPath } from "../../helpers/pack.ts";
import { addon, folder } from "../../helpers/sophia.ts";
import { isAlive, startProcess, type StartedProcess } from "../../helpers/start-process.ts";
import { startAtTerminal } from "../../helpers/terminal.ts";
import { drivenAddon, waitForExit, useDriver, useDriverCommand } from "../driver-process.ts";
import { expectWording } from "../../helpers/wording.ts";

const noCleaner =
  readlinkSync("/proc/self/ns/pid") === "pid:[4026531836]"
    ? undefined
    : "needs the first PID namespace; in others there is no cleaner";
skipBecause(existsSync(addon) ? (noCleaner ?? missingCommand("pgrep")) : "needs the addon and the monitor");

const launch = useDriver();
const driverCommand = useDriverCommand();
const files = [
  { name: "KEY", content: "s3cr3t-v4lue" },
  { name: "not a name", content: "another" },
];
const seccomp = (...names: readonly string[]): readonly string[] => [
  "python3",
  join(import.meta.dirname, "../monitor/seccomp.py"),
  ...names,
  "--",
];

/** Returns the command line that starts the program with secret files. `prefix` is a command that executes its arguments. */
function launchCommand(prefix: readonly string[], mode: "auto" | "exec", ...command: readonly string[]) {
  const [file, ...args] = [...prefix, ...driverCommand({ files, mode }, ...command)];
  return [file ?? "", ...args] as const;
}

/** Starts a program in exec mode that prints where its secret file is. `prefix` is a command that executes its arguments. */
async function startProgram(script: string, prefix: readonly string[] = []) {
  const command = launchCommand(prefix, "exec", "sh", "-c", `echo "at $KEY $$"; ${script}`);
  return { ...(await readStartedProgram(startProcess(command, { cwd: folder(), env: { PATH: cleanPath } }))) };
}

/** Waits until the program has printed the path of its secret file, and adds what the tests need to know about it. */
async function readStartedProgram(started: StartedProcess) {
  const [, path = "", program = ""] = await started.waitForStdout(/^at (\S+) (\d+)\r?$/m);
  const cleaner = findCleaner(Number(program));
  return { ...started, path, place: dirname(path), program: Number(program), cleaner };
}

/** Returns the PID of the cleaner of a program, or 0 if the program has none. */
function findCleaner(program: number): number {
  const { stdout } = spawnSync("pgrep", ["-f", `^secret-files ${program} `], { encoding: "utf8" });
  return Number(stdout.trim());
}

/** Waits until the cleaner has removed the folder, which happens some time after the program's end. */
async function waitForRemoval(place: string): Promise<true> {
  return vi.waitUntil(() => (existsSync(place) ? undefined : (true as const)), { timeout: 30_000, interval: 1 });
}

const listSecretFolders = (): readonly string[] =>
  readdirSync("/dev/shm").filter((name) => name.startsWith("sophia-run-"));

describe("the program", () => {
  test("has the PID and the parent process of the launcher, and no child process", async () => {
    const { ended, line, pid } = launch(
      { files, mode: "exec" },
      "sh",
      "-c",
      'echo "$$ $PPID"; cat /proc/$$/task/*/children; echo .',
    );
    expect(await line()).toBe(`${pid} ${process.pid}`);
    // The only child of the shell is cat itself.
    expect(await line()).toMatch(/^\d+ \.?$/);
    await ended;
  });

  test.each([
    ["an exit", "exit 7", { status: 7, signal: null }],
    ["a death by SIGTERM", "kill -TERM $$", { status: null, signal: "SIGTERM" }],
    ["a death by SIGKILL", "kill -KILL $$", { status: null, signal: "SIGKILL" }],
  ])("has its secret files until %s", async (_, end, expected) => {
    const program = await startProgram(`cat "$KEY"; ${end}`);
    expect(await program.finished).toMatchObject({
      ...expected,
      stdout: expect.stringMatching(/\ns3cr3t-v4lue$/),
      stderr: "",
    });
    expect(await waitForRemoval(program.place)).toBe(true);
  });

  test("leaves no secret files to a background process that outlives it", async () => {
    const program = await startProgram("sleep 60 >/dev/null 2>&1 & exit 0");
    await program.finished;
    expect(await waitForRemoval(program.place)).toBe(true);
  });

  test("keeps its secret files while a thread runs, even if its main thread has ended", async () => {
    const script = `import ctypes, os, sys, threading
def wait():
    sys.stdin.read()
    print(os.path.exists(os.environ["KEY"]), flush=True)
    os._exit(3)
threading.Thread(target=wait).start()
print(os.environ["KEY"], flush=True)
ctypes.CDLL(None).pthread_exit(None)`;
    for (const prefix of [[], seccomp("pidfd_open")]) {
      const [file, ...args] = launchCommand(prefix, "exec", "python3", "-c", script);
      const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
      onTestFinished(() => void child.kill("SIGKILL"));
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
      await vi.waitUntil(() => readState(child.pid ?? 0) === "Z" && output.includes("\n"), {
        timeout: 30_000,
        interval: 5,
      });
      // The cleaner must have checked the program in this state.
      await waitForThreeChecks(child.pid ?? 0);
      child.stdin.end();
      expect(await new Promise((resolve) => void child.once("close", resolve))).toBe(3);
      const [path = "", ...rest] = output.split("\n");
      expect(rest).toEqual(["True", ""]);
      expect(await waitForRemoval(dirname(path))).toBe(true);
    }
  });

  test("leaves no secret file if it cannot be executed", async () => {
    const { ended, pid, stderr } = launch({ files, mode: "exec" }, "/etc/passwd");
    expect(await ended).toEqual({ status: 126, signal: null });
    expect(stderr()).toBe("/etc/passwd: permission denied\n");
    expect(listSecretFolders().filter((name) => name.includes(`-${pid}-`))).toEqual([]);
  });

  test("gets its secret files if it is a script without #!", async () => {
    const scriptFolder = folder();
    writeFileSync(join(scriptFolder, "script"), 'cat "$KEY"', { mode: 0o755 });
    const { ended, line } = launch({ files, mode: "exec" }, join(scriptFolder, "script"));
    expect(await line()).toBe("s3cr3t-v4lue");
    expect(await ended).toEqual({ status: 0, signal: null });
  });
});

function readState(pid: number): string | undefined {
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

/**
 * Waits until the cleaner has checked its program three times (after each check it sleeps), or waits for the program by a pidfd.
 */
async function waitForThreeChecks(program: number): Promise<void> {
  const cleaner = findCleaner(program);
  const sleeps = (): number =>
    Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(`/proc/${cleaner}/status`, "utf8"))?.[1]);
  const before = sleeps();
  const hasPidfd = (): boolean =>
    readdirSync(`/proc/${cleaner}/fd`).some((fd) => readlinkSync(`/proc/${cleaner}/fd/${fd}`).includes("pidfd"));
  await vi.waitUntil(() => hasPidfd() || sleeps() >= before + 3, { timeout: 30_000, interval: 5 });
}

describe("the cleaner", () => {
  test("is one small process in its own session, and has neither the caller's descriptors nor values", async ({
    skip,
  }) => {
    skip(process.geteuid?.() !== 0, "needs root, who alone can read the cleaner's files in /proc");
    const program = await startProgram("exec sleep 60", ["sh", "-c", 'exec 9</etc/passwd; exec "$@"', "sh"]);
    expect(readlinkSync(`/proc/${program.program}/fd/9`)).toBe("/etc/passwd");
    const proc = `/proc/${program.cleaner}`;
    const status = readFileSync(`${proc}/status`, "utf8");
    expect(/^Threads:\s*(\d+)/m.exec(status)?.[1]).toBe("1");
    expect(Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1])).toBeLessThan(100);
    const session = Number(/\) \S+ \d+ \d+ (\d+)/.exec(readFileSync(`${proc}/stat`, "utf8"))?.[1]);
    expect([program.pid, 0]).not.toContain(session);
    expect(readlinkSync(`${proc}/cwd`)).toBe("/");
    expect(
      readdirSync(`${proc}/fd`)
        .map((fd) => readlinkSync(`${proc}/fd/${fd}`))
        .toSorted(),
    ).toEqual([program.place, "anon_inode:[pidfd]"]);
    const environment = readFileSync(`${proc}/environ`, "utf8").split("\0");
    expect(environment.map((entry) => entry.replace(/^\d+/, "INODE"))).toEqual([
      `FOLDER=${program.place}`,
      "INODE=KEY",
      "INODE=file-1",
      "",
    ]);
    process.kill(program.program, "SIGTERM");
    expect(await waitForRemoval(program.place)).toBe(true);
  });

  test("cannot be inspected by its user, and dumps no core", async () => {
    const program = await startProgram("sleep 60");
    // Root owns the files of a process that is not dumpable (proc(5)).
    const { stdout } = spawnSync("stat", ["-c", "%u", `/proc/${program.cleaner}/environ`], { encoding: "utf8" });
    expect(stdout).toBe("0\n");
    process.kill(program.program, "SIGKILL");
    expect(await waitForRemoval(program.place)).toBe(true);
  });

  test("survives signals to itself and to the program's process group", async () => {
    const program = await startProgram("exec sleep 60");
    for (const signal of ["SIGHUP", "SIGINT", "SIGTERM", "SIGQUIT", "SIGUSR1", "SIGPIPE"] as const) {
      process.kill(program.cleaner, signal);
    }
    spawnSync("kill", ["-40", String(program.cleaner)]);
    process.kill(-program.pid, "SIGKILL");
    expect((await program.finished).signal).toBe("SIGKILL");
    expect(await waitForRemoval(program.place)).toBe(true);
    await waitForExit(program.cleaner);
  });

  test("still removes the files after SIGSTOP and SIGCONT", async () => {
    const program = await startProgram("exec sleep 60");
    process.kill(program.cleaner, "SIGSTOP");
    await vi.waitUntil(() => readState(program.cleaner) === "T", { timeout: 30_000, interval: 1 });
    process.kill(program.cleaner, "SIGCONT");
    await vi.waitUntil(() => readState(program.cleaner) === "S", { timeout: 30_000, interval: 1 });
    expect(existsSync(program.path)).toBe(true);
    process.kill(program.program, "SIGTERM");
    expect(await waitForRemoval(program.place)).toBe(true);
  });

  test("removes the files if the terminal is closed", async () => {
    const command = launchCommand([], "exec", "sh", "-c", 'echo "at $KEY $$"; read line');
    const program = await readStartedProgram(startAtTerminal(command, { cwd: folder(), env: { PATH: cleanPath } }));
    // This process holds the other end of the terminal.
    process.kill(program.pid, "SIGKILL");
    await waitForExit(program.program);
    expect(await waitForRemoval(program.place)).toBe(true);
  });

  test("does not remove a file or a folder that has replaced its own", ({ skip }) => {
    skip(process.geteuid?.() !== 0, "needs root, for a /dev/shm where no other sophia-run removes anything");
    const script = `cd "\${KEY%/*}"; echo "the program's" >new; mv new KEY
      here=$PWD; cd ..; mv "$here" moved; mkdir "$here"`;
    const namespaceScript = `mount -t tmpfs tmpfs /dev/shm; cd /dev/shm; "$@" & wait $!
      for look in $(seq 500); do pgrep -f "^secret-files $! " >/dev/null || break; sleep 0.01; done
      find . | sort; cat moved/KEY`;
    const prefix = ["unshare", "--mount", "sh", "-c", namespaceScript, "sh"];
    const [file, ...args] = launchCommand(prefix, "exec", "sh", "-c", script);
    const { stdout, stderr } = spawnSync(file, args, { env: { PATH: cleanPath }, encoding: "utf8", timeout: 30_000 });
    expect(stderr).toBe("");
    // The cleaner has removed the second file, which was not replaced, from the folder that it had open.
    expect(stdout).toMatch(/^\.\n\.\/moved\n\.\/moved\/KEY\n\.\/sophia-run-\S+\nthe program's\n$/);
  });

  test("waits for the program by /proc if there are no pidfds", async () => {
    const program = await startProgram("exec sleep 60", seccomp("pidfd_open"));
    const links = readdirSync(`/proc/${program.cleaner}/fd`).map((fd) =>
      readlinkSync(`/proc/${program.cleaner}/fd/${fd}`),
    );
    expect(links).toContain(`/proc/${program.program}`);
    await waitForThreeChecks(program.program);
    expect(existsSync(program.path)).toBe(true);
    process.kill(program.program, "SIGTERM");
    expect(await waitForRemoval(program.place)).toBe(true);
    await waitForExit(program.cleaner);
  });
});

test("the cleaner for arm64 removes the files in an emulator that changes the order of the environment", async ({
  skip,
}) => {
  const monitor = join(dirname(addon), "linux-arm64-monitor");
  const hasEmulator = spawnSync("qemu-aarch64", ["--version"]).status === 0;
  skip(!existsSync(monitor) || !hasEmulator, "needs qemu-aarch64, and a compiler for arm64");
  const secretFolder = folder({ KEY: "one", OTHER: "another" });
  const inodes = readdirSync(secretFolder).map((name) => [String(statSync(join(secretFolder, name)).ino), name]);
  const program = spawn("sleep", ["60"]);
  onTestFinished(() => void program.kill());
  const descriptors = [openSync(secretFolder, "r"), openSync(`/proc/${program.pid}`, "r")] as const;
  onTestFinished(() => descriptors.forEach((descriptor) => closeSync(descriptor)));
  const cleaner = spawn("qemu-aarch64", [monitor, String(program.pid), "5", "4", "3"], {
    env: { FOLDER: secretFolder, ...Object.fromEntries(inodes) },
    stdio: ["ignore", "inherit", "inherit", "pipe", ...descriptors],
  });
  const cleanerExit = once(cleaner, "exit");
  const ready = cleaner.stdio[3];
  if (ready === undefined || ready === null) throw new TypeError("the cleaner has no pipe");
  await once(ready, "data");
  expect(readdirSync(secretFolder)).toEqual(["KEY", "OTHER"]);
  program.kill();
  expect(await cleanerExit).toEqual([0, null]);
  expect(existsSync(secretFolder)).toBe(false);
});

/** Returns a command that mounts the file or folder over itself without permission to execute, and executes its arguments. */
function prefixWithoutExecution(path: string): readonly string[] {
  const script = 'mount --bind "$0" "$0" && mount -o remount,bind,noexec "$0" && exec "$@"';
  return ["unshare", "--mount", "sh", "-c", script, path];
}

describe("the parent process removes the files if there can be no cleaner, since", () => {
  const showScript = 'test "$PPID" = "$CALLER" && echo became || echo beside; cat "$KEY"; dirname "$KEY" >&2; exit 5';
  const inPidNamespace = (): readonly string[] => {
    const isolation = findIsolation();
    return "prefix" in isolation ? isolation.prefix : [];
  };
  const cases: Readonly<Record<string, () => readonly string[]>> = {
    "a filter of system calls refuses prctl": () => seccomp("prctl"),
    "a filter of system calls refuses ppoll": () => seccomp("ppoll"),
    "the caller is a subreaper": () => [
      "python3",
      "-c",
      "import ctypes,os,sys;ctypes.CDLL(None).prctl(36,1,0,0,0);os.execvp(sys.argv[1],sys.argv[1:])",
    ],
    "the package is on a file system without permission to execute": () => prefixWithoutExecution(dirname(drivenAddon)),
    "the monitor may not be executed": () => prefixWithoutExecution(drivenAddon.replace(/\.node$/, "-monitor")),
    "sophia-run is PID 1 of a PID namespace": inPidNamespace,
    "sophia-run is PID 1 on a read-only file system": () => [
      ...inPidNamespace(),
      "sh",
      "-c",
      'mount -o remount,bind,ro / && exec "$@"',
      "sh",
    ],
    "sophia-run is a child of PID 1 of a PID namespace": () => [...inPidNamespace(), "sh", "-c", '"$@"; exit $?', "sh"],
    "there is no /proc": () => ["unshare", "--mount", "sh", "-c", 'umount -l /proc; exec "$@"', "sh"],
  };

  test.each(Object.entries(cases))("%s", (_, prefix) => {
    const [file, ...args] = launchCommand(prefix(), "auto", "sh", "-c", showScript);
    const env = { PATH: cleanPath, CALLER: String(process.pid) };
    const { status, stdout, stderr } = spawnSync(file, args, { cwd: folder(), env, encoding: "utf8", timeout: 30_000 });
    expect({ status, stdout }).toEqual({ status: 5, stdout: "beside\ns3cr3t-v4lue" });
    expect(stderr).toMatch(/^\/dev\/shm\/sophia-run-\S+\n$/);
    expect(existsSync(stderr.trim())).toBe(false);
  });

  test("the limit on processes is reached, and leaves no file if the program cannot start either", ({ skip }) => {
    skip(noNobody !== undefined, noNobody);
    // This user has no other processes.
    const user = String(1_000_000 + process.pid);
    const limit = join(folder(), "limit.cjs");
    writeFileSync(
      limit,
      `const threads = Number(/Threads:\\s*(\\d+)/.exec(require("fs").readFileSync("/proc/self/status", "utf8"))[1]);
       const limit = threads + Number(process.env.FREE);
       require("child_process").execFileSync("prlimit", ["--pid", String(process.pid), "--nproc=" + limit]);`,
    );
    chmodSync(dirname(limit), 0o755);
    const prefix = ["setpriv", `--reuid=${user}`, "--regid=65534", "--clear-groups"];
    const [file, ...args] = launchCommand(prefix, "auto", "sh", "-c", "exec ls ${KEY%/*}");
    chmodSync(dirname(args.at(-5) ?? ""), 0o755);
    const runWithFreeProcesses = (free: number) => {
      const env = { PATH: cleanPath, NODE_OPTIONS: `--require ${limit}`, FREE: String(free) };
      const { pid, ...ended } = spawnSync(file, args, { cwd: "/", env, encoding: "utf8", timeout: 30_000 });
      expect(listSecretFolders().filter((name) => name.includes(`-${pid}-`))).toEqual([]);
      return { status: ended.status, stdout: ended.stdout, stderr: ended.stderr };
    };
    expect(runWithFreeProcesses(0)).toEqual({
      status: 126,
      stdout: "",
      stderr: "sh: the limit on processes is reached\n",
    });
    expect(runWithFreeProcesses(1)).toEqual({ status: 0, stdout: "KEY\nfile-1\n", stderr: "" });
  });

  test.each(["auto", "exec"] as const)(
    "no file may grow (RLIMIT_FSIZE 0), but --mode %s fails with a message and leaves no file",
    (mode) => {
      const [file, ...args] = launchCommand(["prlimit", "--fsize=0"], mode, "true");
      const { pid, status, stderr } = spawnSync(file, args, {
        cwd: folder(),
        env: { PATH: cleanPath },
        encoding: "utf8",
      });
      expect({ status, stderr }).toEqual({
        status: 125,
        stderr: expect.stringMatching(/^cannot write secret files into \/dev\/shm\/sophia-run-\S+: EFBIG\n$/),
      });
      expect(listSecretFolders().filter((name) => name.includes(`-${pid}-`))).toEqual([]);
    },
  );

  test("a filter of system calls refuses prctl, but --mode exec fails with a message", () => {
    const [file, ...args] = launchCommand(seccomp("prctl"), "exec", "true");
    const { status, stderr } = spawnSync(file, args, { cwd: folder(), env: { PATH: cleanPath }, encoding: "utf8" });
    expect(status).toBe(125);
    expectWording(stderr);
  });
});

test("a signal at any moment of the start leaves no secret file and no cleaner", async () => {
  const before = new Set(listSecretFolders());
  for (let delay = 0; delay < 100; delay += 5) {
    const { child, ended, pid } = launch({ files, mode: "exec" }, "sleep", "60");
    spawnSync("sleep", [String(delay / 1000)]);
    child.kill("SIGTERM");
    expect(await ended).toEqual({ status: null, signal: "SIGTERM" });
    await vi.waitUntil(
      () => !listSecretFolders().some((name) => !before.has(name) && name.includes(`-${pid}-`)),
      30_000,
    );
    expect(isAlive(findCleaner(pid) || 2 ** 30)).toBe(false);
  }
});
