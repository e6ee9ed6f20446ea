/** Child processes in the executable's runtime: a script must have the same output as in Node.js. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, onTestFinished } from "vitest";
import { skipWithoutShell, shell } from "./helpers/shell.ts";

skipWithoutShell();
const folder = mkdtempSync(join(tmpdir(), "processes-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a script. @param redirect a redirection of the shell, or "" for a pipe with text, which the script must read */
function runScript(program: string, script: string, redirect = "< /dev/null"): string {
  const file = join(folder, "script.cjs");
  writeFileSync(file, LOG + script);
  return execFileSync("sh", ["-c", `${program} ${file} ${redirect}`], {
    encoding: "utf8",
    ...(redirect === "" ? { input: "from the test" } : {}),
    stdio: [redirect === "" ? "pipe" : "ignore", "pipe", "pipe"],
    timeout: 20_000,
    env: { PATH: "/usr/bin:/bin" },
  });
}

/** Functions of the scripts: `watch` logs the events of a child. */
const LOG = `
  const { writeSync } = require("node:fs");
  const { spawn, execFile } = require("node:child_process");
  const log = (...values) => writeSync(1, JSON.stringify(values) + "\\n");
  const watch = (child) => {
    for (const name of ["spawn", "exit", "close", "error", "disconnect", "message"]) {
      child.on(name, (...values) => log(name, ...values.map((value) => value instanceof Error ? fields(value) : value)));
    }
    return child;
  };
  const fields = (error) => ({ text: error.message, ...error });
`;

const SCRIPTS: Readonly<Record<string, string>> = {
  "a status": `watch(spawn("sh", ["-c", "exit 7"], { stdio: "ignore" }))`,
  "a signal": `watch(spawn("sh", ["-c", "kill -TERM $$"], { stdio: "ignore" }))`,
  "a missing program": `
    const child = watch(spawn("/nowhere/at-all", ["one", "two"]));
    log(child.pid, child.stdout.destroyed, child.spawnargs, child.spawnfile);
    child.on("error", () => log(child.exitCode, child.kill()));`,
  "a program that may not be executed": `watch(spawn("/etc/passwd", []))`,
  "a missing folder": `watch(spawn("true", [], { cwd: "/nowhere" }))`,
  "arguments that are too long": `
    try { spawn("true", ["x".repeat(200_000)]); } catch (error) { log(fields(error)); }`,
  "a program in the PATH of its own environment": `
    watch(spawn("env", [], { env: { PATH: "/nowhere" } })).on("close", () => {
      spawn("env", [], { env: { PATH: "/usr/bin:/bin", A: undefined, B: "" }, stdio: ["ignore", 1, 2] });
    });`,
  output: `
    const child = watch(spawn("sh", ["-c", "echo out; echo err >&2; cat"]));
    const text = ["", ""];
    child.stdout.on("data", (data) => { text[0] += data; });
    child.stderr.on("data", (data) => { text[1] += data; });
    child.on("close", () => log(text));
    child.stdin.end("in");`,
  "an output that ends before the child": `
    const child = watch(spawn("sh", ["-c", "exec >&-; read line"]));
    for (const name of ["end", "finish", "close"]) child.stdout.on(name, () => log("stdout", name));
    child.stdout.on("close", () => child.stdin.end()).resume();`,
  "megabytes through a pipe": `
    const child = spawn("cat");
    let length = 0;
    child.stdout.on("data", (data) => { length += data.length; });
    child.on("close", () => log(length));
    const chunk = Buffer.alloc(1_000_000, "x");
    for (let i = 0; i < 5; i++) child.stdin.write(chunk);
    child.stdin.end();`,
  "a child that closes its input": `
    const child = watch(spawn("sh", ["-c", "exec <&-; echo closed; sleep 0.2"]));
    child.stdout.once("data", () => child.stdin.write(Buffer.alloc(1_000_000)));
    child.stdin.on("error", (error) => log("stdin", error.code, error.syscall, error.errno));
    child.stdin.on("close", () => log("stdin closed"));`,
  "outputs that the parent does not read": `watch(spawn("sh", ["-c", "echo one; echo two >&2"]))`,
  "output as an async iterable": `
    void (async () => {
      const child = watch(spawn("sh", ["-c", "for i in 1 2 3; do echo $i; sleep 0.02; done"]));
      let text = "";
      for await (const chunk of child.stdout) text += chunk;
      log(text);
    })();`,
  "descriptors at their numbers": `
    const child = spawn("sh", ["-c", "ls /proc/self/fd | grep -x [0-9]; readlink /proc/self/fd/0; echo to five >&5"],
      { stdio: ["ignore", 1, "ignore", "ignore", "pipe", "pipe"] });
    child.stdio[5].on("data", (data) => child.on("exit", () => log(String(data))));
    child.on("exit", () => log(child.stdin, child.stdio.length, child.stdio[3]));`,
  "swapped streams": `
    spawn("sh", ["-c", "echo one; echo two >&2"], { stdio: ["ignore", 2, 1] });`,
  "argv[0]": `spawn("sh", ["-c", "echo $0; tr '\\\\0' ' ' < /proc/$$/cmdline"], { argv0: "other", stdio: ["ignore", 1, 2] })`,
  "signals by default": `
    process.on("SIGTERM", () => {});
    spawn("grep", ["Sig[BIC]", "/proc/self/status"], { stdio: ["ignore", 1, 2] });`,
  "a session of its own": `
    spawn("sh", ["-c", "ps -o sid= -p $$ | tr -d ' ' | grep -qx $$ && echo leads"], { detached: true, stdio: ["ignore", 1, 2] })`,
  kill: `
    const child = watch(spawn("sleep", ["20"]));
    child.on("spawn", () => log(child.kill("SIGKILL"), child.killed));
    child.on("exit", () => log(child.kill(), child.signalCode, child.exitCode));
    try { child.kill("SIGNONE"); } catch (error) { log(error.code); }`,
  "a timeout": `watch(spawn("sleep", ["20"], { timeout: 50, killSignal: "SIGINT" }))`,
  "a child that is not waited for": `spawn("sleep", ["5"], { stdio: "ignore" }).unref()`,
  execFile: `
    execFile("sh", ["-c", "echo out; echo err >&2"], (error, stdout, stderr) => log(error, stdout, stderr));`,
  "execFile with an exit status": `
    execFile("sh", ["-c", "echo text >&2; exit 3"], {}, (error, stdout, stderr) => log(fields(error), stdout, stderr));`,
  "execFile of a missing program": `execFile("nothing-here", ["x"], (error, ...rest) => log(fields(error), ...rest))`,
  "execFile with a timeout": `
    execFile("sleep", ["20"], { timeout: 50, killSignal: "SIGKILL" }, (error, ...rest) => log(fields(error), ...rest))`,
  "execFile with too much output": `
    execFile("sh", ["-c", "printf 0123456789; sleep 20"], { maxBuffer: 4 }, (error, ...rest) => log(fields(error), ...rest))`,
  "a synchronous child while signals arrive": `
    process.on("SIGUSR1", () => {});
    const script = "i=0; while [ $i -lt 1000 ]; do kill -USR1 $PPID; i=$((i+1)); done; echo last";
    const { spawnSync } = require("node:child_process");
    const { status, stdout } = spawnSync("sh", ["-c", script], { encoding: "utf8", stdio: ["ignore", "pipe", 2] });
    log(status, stdout);`,
  "execFile with input": `
    execFile("cat", [], (error, stdout) => log(error, stdout)).stdin.end("text")`,
};

it.for(Object.entries(SCRIPTS))("a child process behaves as in Node.js: %s", ([, script]) => {
  expect(runScript(shell, script)).toBe(runScript(process.execPath, script));
});

const COUNT_DESCRIPTORS = `
  const { readdirSync } = require("node:fs");
  const countDescriptors = () => readdirSync("/proc/self/fd").length;
  const before = countDescriptors();`;

it("an invalid stdio after pipes leaves no descriptor open, and does not keep the process alive", () => {
  const script = `${COUNT_DESCRIPTORS}
    for (const stdio of [["pipe", "pipe", "nothing"], ["pipe", "pipe", "pipe", "pipe", {}], "nothing"]) {
      try { spawn("true", [], { stdio }); } catch (error) { log(error.code, countDescriptors() - before); }
    }`;
  expect(runScript(shell, script)).toBe('["ERR_INVALID_ARG_VALUE",0]\n'.repeat(3));
});

it("spawnSync refuses more than one pipe, and leaves no descriptor open", () => {
  const script = `${COUNT_DESCRIPTORS}
    const { spawnSync } = require("node:child_process");
    try { spawnSync("true", [], { stdio: "pipe" }); } catch (error) { log(error.code, countDescriptors() - before); }`;
  expect(runScript(shell, script)).toBe('["EINVAL",0]\n');
});

const READ_INPUT = `
  void (async () => {
    let text = "";
    try {
      for await (const chunk of process.stdin) text += chunk;
      log(text.length, text.slice(0, 20));
    } catch (error) { log(error.code); }
  })();`;

it.each(["", "< /dev/null", "< /etc/passwd", "<&-"])(
  "a script reads its standard input as in Node.js: %s",
  (redirect) => {
    expect(runScript(shell, READ_INPUT, redirect)).toBe(runScript(process.execPath, READ_INPUT, redirect));
  },
);

it("a script can destroy a standard input that does not end, as in Node.js", () => {
  const script = `${READ_INPUT} setTimeout(() => process.stdin.destroy(Object.assign(new Error("late"), { code: "LATE" })), 50)`;
  const pipe = join(folder, "waiting");
  execFileSync("mkfifo", [pipe]);
  for (const program of [shell, process.execPath]) {
    expect(runScript(`exec 3<> ${pipe}; ${program}`, script, `< ${pipe}`)).toBe('["LATE"]\n');
  }
});

it("a stop signal that arrives before a child executes its program stops the program", async () => {
  // The child searches tens of thousands of folders for the program, so that the signal arrives before the execution.
  const path = `${"/n:".repeat(40_000)}/usr/bin:/bin`;
  const file = join(folder, "early-stop.cjs");
  writeFileSync(
    file,
    `process.on("SIGTSTP", () => {});
     console.log(process.pid);
     setTimeout(() => {}, 60_000);
     require("node:child_process").spawn("sleep", ["60"], { stdio: "ignore", env: { PATH: ${JSON.stringify(path)} } });`,
  );
  // The kernel does not stop a process of an orphaned group. So the parent is in another group of the same session.
  const job = spawn(
    "python3",
    [
      "-c",
      "import os, sys; os.fork() and os.wait() or (os.setpgid(0, 0), os.execv(sys.argv[1], sys.argv[1:]))",
      shell,
      file,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = await once(job.stdout, "data");
  const parent = Number(line);
  onTestFinished(() => {
    process.kill(-parent, "SIGKILL");
  });
  let child = 0;
  while (child === 0) child = Number(readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8"));
  process.kill(-parent, "SIGTSTP");
  const state = (): string => / \(.*\) (.)/.exec(readFileSync(`/proc/${child}/stat`, "utf8"))?.[1] ?? "";
  await expect.poll(state).toBe("T");
  expect(readlinkSync(`/proc/${child}/exe`)).not.toBe(shell);
});
