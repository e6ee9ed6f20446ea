/** The processes of ESC_TOKEN_COMMAND: none outlives the limit, and those that the command leaves on purpose stay. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { attempt } from "../../../src/system/errors.ts";
import { noAddon, notLinux, skipBecause } from "../../helpers/skip.ts";
import { addon, copyPackage, folder, isStandalone, sophiaRun } from "../../helpers/sophia.ts";
import { startProcess } from "../../helpers/start-process.ts";
import { startAtTerminal } from "../../helpers/terminal.ts";

skipBecause(notLinux);

/** Shell: starts descendants of all kinds, which write their PIDs, and waits for them. */
const DESCENDANTS = [
  "sleep 300 & echo $! >> pids",
  "setsid sleep 300 & echo $! >> pids",
  // These have neither a parent nor a session of the command, nor its output.
  "(setsid sh -c 'sleep 300 < /dev/null > /dev/null 2>&1 & echo $! >> pids')",
  `setsid sh -c 'setsid sh -c "sleep 300 < /dev/null > /dev/null 2>&1 & echo \\$! >> pids" &'`,
  "until [ $(wc -l < pids) = 4 ]; do :; done",
].join("\n");
/** The same end as by the limit of 30 s. */
const TOO_MUCH = "exec yes";

function createWorld(command: string) {
  const cwd = folder();
  onTestFinished(() => {
    for (const pid of pidsIn(cwd)) attempt(() => process.kill(pid, "SIGKILL"));
    rmSync(join(cwd, "pids"), { force: true });
  });
  // Nothing listens there.
  const esc = { ESC_ENV: "acme/app/dev", PULUMI_BACKEND_URL: "http://127.0.0.1:1", ESC_TOKEN_COMMAND: command };
  return { cwd, env: { PATH: process.env["PATH"] ?? "", HOME: cwd, ...esc } };
}

function pidsIn(cwd: string): readonly number[] {
  return (attempt(() => readFileSync(join(cwd, "pids"), "utf8")) ?? "").split("\n").filter(Boolean).map(Number);
}

/** Returns the processes that run; a zombie does not. */
function runningOf(pids: readonly number[]): readonly number[] {
  return pids.filter((pid) =>
    /^State:\s+[^ZX]/m.test(attempt(() => readFileSync(`/proc/${pid}/status`, "utf8")) ?? ""),
  );
}

const ARGS = ["--no-contract", "--", "echo", "started"];

describe("all descendants of the command end at its limit, also those with a session of their own and an ended parent", () => {
  skipBecause(noAddon);

  test.each([false, true])("at a terminal: %s", async (atTerminal) => {
    const { cwd, env } = createWorld(`${DESCENDANTS}\n${TOO_MUCH}`);
    const command = [...sophiaRun, ...ARGS] as const;
    // A session of its own has no terminal.
    const started = atTerminal ? startAtTerminal(command, { cwd, env }) : startProcess(command, { cwd, env });
    const { stdout, stderr, status } = await started.finished;
    expect(status).toBe(125);
    expect(stdout + stderr).toContain("printed more than 64 KiB");
    expect(pidsIn(cwd)).toHaveLength(4);
    expect(runningOf(pidsIn(cwd))).toEqual([]);
  });

  test("also if the command itself has ended and its output is still open", async () => {
    const { cwd, env } = createWorld(`(${DESCENDANTS}\n${TOO_MUCH}) &`);
    const { stderr } = await startProcess([...sophiaRun, ...ARGS], { cwd, env }).finished;
    expect(stderr).toContain("printed more than 64 KiB");
    expect(pidsIn(cwd)).toHaveLength(4);
    expect(runningOf(pidsIn(cwd))).toEqual([]);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("and when %s ends a start without a terminal", async (signal) => {
    const { cwd, env } = createWorld(`${DESCENDANTS}\necho asks >&2\nsleep 300`);
    const started = startProcess([...sophiaRun, ...ARGS], { cwd, env });
    await started.waitForStderr(/asks/);
    process.kill(started.pid, signal);
    expect((await started.finished).signal).toBe(signal);
    expect(runningOf(pidsIn(cwd))).toEqual([]);
  });

  test("and the guard ends if SIGKILL ends the start", async () => {
    // Of those that are left only the guard has the standard error.
    const { cwd, env } = createWorld("echo $PPID $$ >> pids; echo asks >&2; exec sleep 300 2> /dev/null");
    const [file, ...args] = sophiaRun;
    const child = spawn(file, [...args, ...ARGS], { cwd, env, stdio: ["ignore", "ignore", "pipe"], detached: true });
    await once(child.stderr, "data");
    const [guard, command] = readFileSync(join(cwd, "pids"), "utf8").trim().split(" ").map(Number);
    child.kill("SIGKILL");
    await once(child, "close");
    // A process that ends closes its files before it is gone.
    await expect.poll(() => runningOf([guard ?? 0])).toEqual([]);
    // As each child of a process that SIGKILL ends, the command goes on.
    expect(runningOf([command ?? 0])).toEqual([command]);
    process.kill(command ?? 0, "SIGKILL");
  });
});

test("a process that the command leaves behind on purpose stays, and is no child of the program", async () => {
  const left = "setsid sh -c 'sleep 300 < /dev/null > /dev/null 2>&1 & echo $! >> pids'; echo pul-token";
  const { cwd, env } = createWorld(left);
  const script = "cat /proc/$$/task/$$/children; echo started";
  const { stdout, stderr } = await startProcess([...sophiaRun, "--no-contract", "--", "sh", "-c", script], { cwd, env })
    .finished;
  expect(stderr).toContain("ECONNREFUSED");
  // Of the shell itself only cat was one.
  expect(stdout.replaceAll(/\d+ /g, "pid ")).toBe("pid started\n");
  const [pid = 0] = pidsIn(cwd);
  expect(runningOf([pid])).toEqual([pid]);
});

test("the command has neither the socket of the guard nor its signals", async () => {
  const command = "[ -e /proc/$$/fd/3 ] && echo socket >&2; grep Sig /proc/self/status >&2; exit 3";
  const { cwd, env } = createWorld(command);
  const plain = await startProcess(["sh", "-c", command.replaceAll(">&2", "")], { cwd, env }).finished;
  const { stderr } = await startProcess([...sophiaRun, ...ARGS], { cwd, env }).finished;
  expect(stderr).toContain("failed with status 3");
  expect(stderr.split("\nsophia-run:")[0]?.replace(/^SigQ.*\n/gm, "")).toBe(
    plain.stdout.replace(/^SigQ.*\n/gm, "").trimEnd(),
  );
});

test("a start that reaches the limit on open files names this limit", async () => {
  const { cwd, env } = createWorld("echo pul-token");
  const messages: string[] = [];
  // At some of them only the command cannot be started.
  for (let limit = 6; limit < 30; limit += 1) {
    const command = ["prlimit", `--nofile=${limit}:${limit}`, ...sophiaRun, ...ARGS] as const;
    messages.push((await startProcess(command, { cwd, env }).finished).stderr);
  }
  expect(messages.filter((one) => one.includes("internal error"))).toEqual([]);
  expect(messages.filter((one) => one.startsWith("sophia-run: too many open files (EMFILE)"))).not.toEqual([]);
});

describe("without a guard", () => {
  const filter = ["python3", join(import.meta.dirname, "../../launch/monitor/seccomp.py")] as const;

  test("the command is started once if the system lets no guard start", async () => {
    const { cwd, env } = createWorld("echo run >> pids; echo pul-token");
    const command = [...filter, isStandalone ? "memfd_create" : "prctl", "--", ...sophiaRun, ...ARGS] as const;
    const { stdout, stderr } = await startProcess(command, { cwd, env }).finished;
    expect(stderr).toContain("ECONNREFUSED");
    expect([stdout, readFileSync(join(cwd, "pids"), "utf8")]).toEqual(["started\n", "run\n"]);
    rmSync(join(cwd, "pids"));
  });

  test.for(["removed", "replaced by a text"])(
    "the command is started if the file of the guard was %s",
    async (how, { skip }) => {
      skip(isStandalone, "the executable has no such file");
      const { cwd, env } = createWorld("echo pul-token");
      const copy = copyPackage();
      const file = join(copy, "dist", `${addon.slice(addon.lastIndexOf("/") + 1, -".node".length)}-monitor`);
      rmSync(file, { force: true });
      if (how !== "removed") writeFileSync(file, "neither a program nor a script", { mode: 0o755 });
      const command = [process.execPath, join(copy, "bin/sophia-run.cjs"), ...ARGS] as const;
      const { stdout, stderr } = await startProcess(command, { cwd, env }).finished;
      expect(stderr).toContain("ECONNREFUSED");
      expect(stdout).toBe("started\n");
    },
  );
});
