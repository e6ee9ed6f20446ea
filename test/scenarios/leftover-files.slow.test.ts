/**
 * Secret files of ESC whose sophia-run was killed, with the program under test: the package or the executable. The
 * containers of a pod share /dev/shm and no PIDs; `host` is a process of the machine's own PID namespace with the same
 * /dev/shm, which no other test uses.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { addSophiaEnvironment, escVariables, sentinelOf } from "../commands/sophia-environment.ts";
import { type EscServer, startEscServer } from "../esc-server/index.ts";
import { missingCommand, noAddon, notLinux, skipBecause } from "../helpers/skip.ts";
import { isStandalone, sophiaRun } from "../helpers/sophia.ts";
import { isAlive, WAIT_FOR_MONITOR, startProcess } from "../helpers/start-process.ts";
import { startAtTerminal } from "../helpers/terminal.ts";
import { waitForExit } from "../launch/driver-process.ts";

const notRoot = process.geteuid?.() === 0 ? undefined : "needs root, for mount and PID namespaces";
skipBecause(notLinux ?? noAddon ?? notRoot ?? missingCommand("pgrep", "flock"));

let server: EscServer;
beforeAll(async () => {
  server = await startEscServer();
  addSophiaEnvironment(server);
});
afterAll(() => server.close());

interface Pod {
  /** The shared /dev/shm, as this process reaches it. */
  readonly memory: string;
  readonly host: Prefix;
  readonly container: Prefix;
}

async function openPod(): Promise<Pod> {
  const script = "mount -t tmpfs tmpfs /dev/shm && echo ready && exec sleep 600";
  const keeper = startProcess(["unshare", "--mount", "sh", "-c", script], {
    cwd: "/",
    env: { PATH: process.env["PATH"] ?? "" },
  });
  await keeper.waitForStdout(/ready/);
  const host: Prefix = ["nsenter", `--target=${keeper.pid}`, "--mount", "--"];
  const container: Prefix = [...host, "unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--"];
  return { memory: `/proc/${keeper.pid}/root/dev/shm`, host, container };
}

const FILE = '"$GOOGLE_APPLICATION_CREDENTIALS"';
const CONTENT = `{"key":"${sentinelOf("google")}"}`;
/** Prints a word if the file has its content, which would be masked. */
const LOOK = `grep -qxF '${CONTENT}' ${FILE} && echo whole`;
/** Shows the file's path, its own PID and its descriptors, and waits for a line of input before it looks at its file. */
const PROGRAM = `echo ${FILE}; echo $$; for each in /proc/$$/fd/*; do readlink $each; done; echo .; read line; ${LOOK}`;

/** A command that becomes another one, in front of others. */
type Prefix = readonly [string, ...string[]];

function commandWords([file, ...args]: Prefix, options: readonly string[], script: string): Prefix {
  return [file, ...args, ...sophiaRun, "--quiet", ...options, "--", "sh", "-c", script];
}

function createVariables(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", ...escVariables(server) };
}

interface RunningProgram {
  /** The path of its file, and that of the folder, as this process reaches them. */
  readonly file: string;
  readonly folder: string;
  readonly descriptors: readonly string[];
  /** As the program sees it. */
  readonly pid: number;
  /** Ends sophia-run, or the container that it is in, by SIGKILL. */
  readonly kill: () => Promise<void>;
  /** Lets the program end. @returns the word of `LOOK` */
  readonly finish: () => Promise<string>;
}

/** Starts the program and waits until it runs. */
async function startInPod(pod: Pod, prefix: Prefix, options: readonly string[]): Promise<RunningProgram> {
  const [file, ...args] = commandWords(prefix, options, PROGRAM);
  const child = spawn(file, args, { cwd: "/", env: createVariables(), stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const closed = once(child, "close");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done === true) throw new Error("the program ended");
    return line.value;
  };
  const path = (await next()).replace("/dev/shm", pod.memory);
  const pid = Number(await next());
  const descriptors: string[] = [];
  for (let line = await next(); line !== "."; line = await next()) descriptors.push(line);
  return {
    file: path,
    folder: path.slice(0, path.lastIndexOf("/")),
    descriptors,
    pid,
    kill: async () => {
      child.kill("SIGKILL");
      await closed;
    },
    finish: async () => {
      child.stdin.end("\n");
      const nextOutput = await next();
      await closed;
      return nextOutput;
    },
  };
}

/** Starts a program that shows its file and ends, and waits for its end. */
async function runToEnd(pod: Pod, prefix: Prefix, options: readonly string[]): Promise<void> {
  const program = await startInPod(pod, prefix, options);
  expect(await program.finish()).toBe("whole");
}

const listLeftovers = ({ memory }: Pod): readonly string[] =>
  readdirSync(memory).filter((name) => name.startsWith("sophia-run-"));

const MODES = [
  ["the monitor", ["--mode", "spawn"]],
  ["sophia-run itself (--redact)", ["--redact"]],
  ["the monitor as PID 1 (--mode auto)", []],
] as const;

describe.each(MODES)("secret files in a container, removed by %s:", (_, options) => {
  test("the file of a container that SIGKILL has ended is removed by the next start in another", async () => {
    const pod = await openPod();
    const first = await startInPod(pod, pod.container, options);
    await first.kill();
    expect(readFileSync(first.file, "utf8")).toContain(CONTENT);
    expect(listLeftovers(pod)).toEqual([expect.stringMatching(/^sophia-run-\d+-1-\d+-locked-[\da-f]{8}$/)]);
    const second = await startInPod(pod, pod.container, options);
    expect([first.folder, second.file].map((path) => existsSync(path))).toEqual([false, true]);
    expect(await second.finish()).toBe("whole");
    expect(listLeftovers(pod)).toEqual([]);
  });

  test("no other start removes the file while the program runs, and the program has no descriptor of its folder", async () => {
    const pod = await openPod();
    const program = await startInPod(pod, pod.container, options);
    expect(program.descriptors.filter((path) => path.startsWith("/dev/shm"))).toEqual([]);
    for (const [, others] of MODES) await runToEnd(pod, pod.container, others);
    await runToEnd(pod, pod.host, ["--mode", "exec"]);
    expect(await program.finish()).toBe("whole");
    expect(existsSync(program.folder)).toBe(false);
  });
});

describe("secret files in exec mode:", () => {
  beforeEach(({ skip }) => {
    skip(readlinkSync("/proc/self/ns/pid") !== "pid:[4026531836]", "needs the first PID namespace");
  });
  const EXEC = ["--mode", "exec"];
  const cleanerOf = (program: number): number =>
    Number(spawnSync("pgrep", ["-f", `^secret-files ${program} `], { encoding: "utf8" }).stdout.trim());
  const startOthers = async (pod: Pod): Promise<void> => {
    await runToEnd(pod, pod.host, EXEC);
    for (const [, options] of MODES) await runToEnd(pod, pod.container, options);
  };

  test("no other start removes the file while the program runs, and it has no descriptor of its folder", async () => {
    const pod = await openPod();
    const program = await startInPod(pod, pod.host, EXEC);
    expect(program.descriptors.filter((path) => path.startsWith("/dev/shm"))).toEqual([]);
    await startOthers(pod);
    expect(await program.finish()).toBe("whole");
    await vi.waitUntil(() => listLeftovers(pod).length === 0, 30_000);
  });

  test("the program keeps its file if its cleaner is killed, and a start removes it once both have ended", async () => {
    const pod = await openPod();
    const program = await startInPod(pod, pod.host, EXEC);
    const cleaner = cleanerOf(program.pid);
    process.kill(cleaner, "SIGKILL");
    await waitForExit(cleaner);
    await startOthers(pod);
    expect(existsSync(program.file)).toBe(true);
    await program.kill();
    // A start in a container does not see whether a program of the machine runs.
    await runToEnd(pod, pod.container, []);
    expect(readFileSync(program.file, "utf8")).toContain(CONTENT);
    await runToEnd(pod, pod.host, EXEC);
    expect(existsSync(program.folder)).toBe(false);
  });

  test("a stopped cleaner keeps the file", async () => {
    const pod = await openPod();
    const program = await startInPod(pod, pod.host, EXEC);
    const cleaner = cleanerOf(program.pid);
    process.kill(cleaner, "SIGSTOP");
    await program.kill();
    await startOthers(pod);
    expect(existsSync(program.file)).toBe(true);
    process.kill(cleaner, "SIGCONT");
    await vi.waitUntil(() => listLeftovers(pod).length === 0, 30_000);
    await waitForExit(cleaner);
  });
});

test("sophia-run alone has the lock if the program has a terminal of its own", async () => {
  const pod = await openPod();
  const script = `${PROGRAM.replace("echo .;", 'echo "at $PPID";')}; exec sleep 60`;
  const program = startAtTerminal(commandWords(pod.host, ["--redact"], script), { cwd: "/", env: createVariables() });
  const [all] = await program.waitForStdout(/^at \d+\r?$/m).then(({ input }) => [input]);
  expect(all).toMatch(/^\/dev\/shm\/sophia-run-\S+\r?$/m);
  expect(all).not.toMatch(/^\/dev\/shm\/sophia-run-[^/\s]+\r?$/m);
  const [name = ""] = listLeftovers(pod);
  const isFree = (): boolean => spawnSync("flock", ["--nonblock", `${pod.memory}/${name}`, "true"]).status === 0;
  expect(isFree()).toBe(false);
  const launcher = Number(/^sophia-run-\d+-(\d+)-/.exec(name)?.[1]);
  // The program stays, stopped so that the end of its terminal does not end it.
  process.kill(launcher, "SIGKILL");
  await vi.waitUntil(() => !isAlive(launcher), 30_000);
  expect(isFree()).toBe(true);
});

test(
  "no start loses its file if many run at once, in containers and on the machine",
  { timeout: 300_000 },
  async () => {
    const pod = await openPod();
    const starts = isStandalone ? 300 : 96;
    // Looks at its file as often as others may have looked for leftovers meanwhile; each tenth is killed with its parent.
    const script = (number: number): string => {
      const look = `n=0; while [ $n -lt 3000 ]; do [ -s ${FILE} ] || exit 9; n=$((n + 1)); done; ${LOOK}`;
      // Once its parent is killed, the file has no owner, and another start may remove it.
      return number % 10 === 0 ? `${WAIT_FOR_MONITOR}; ${LOOK}; kill -KILL $PPID` : look;
    };
    let next = 0;
    const outcomes: string[] = [];
    const worker = async (): Promise<void> => {
      while (next < starts) {
        const number = (next += 1);
        const options = number % 10 === 0 ? ["--mode", "spawn"] : (MODES[number % MODES.length]?.[1] ?? []);
        // In a container the parent is PID 1, which a process in there cannot kill.
        const prefix = number % 10 !== 0 && number % 2 === 0 ? pod.container : pod.host;
        const [file, ...args] = commandWords(prefix, options, script(number));
        const child = spawn(file, args, { cwd: "/", env: createVariables(), stdio: ["ignore", "pipe", "inherit"] });
        let output = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
        await once(child, "close");
        outcomes.push(output.trim());
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect(outcomes).toEqual(outcomes.map(() => "whole"));
    expect(outcomes).toHaveLength(starts);
    await runToEnd(pod, pod.host, ["--mode", "spawn"]);
    await vi.waitUntil(() => listLeftovers(pod).length === 0, 30_000);
  },
);
