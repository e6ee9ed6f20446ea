/**
 * A clone of the repository in which mutants are built and tested, so that nothing in the user's checkout changes. It shares the
 * installed packages and `.cache` with the checkout.
 */
import { type ChildProcess, spawn, spawnSync, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
} from "node:fs";
import { rmSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotRun } from "./not-run.mts";

/** The clone, its build, and the folders that tests make. */
const NEEDED_MB = 1000;

/** How a command ended. */
export interface Ending {
  /** Undefined if a signal has ended it, as it does at its limit. */
  readonly status: number | undefined;
  /** The text that it has written to stdout. */
  readonly output: string;
}

export class Workplace {
  /** The clone. */
  readonly root: string;
  /** The folder for the files that tests make. */
  readonly temporary: string;
  /** The folder for the state of the switches, which does not exist yet. */
  readonly switches: string;
  /** Below it are the clone and what commands and tests make, and nothing else. */
  readonly #folder: string;
  /** The folder for temporary files of the commands themselves. */
  readonly #own: string;
  readonly #running = new Set<ChildProcess>();

  /** Makes the folder of the clone. The caller must call `close`. @throws NotRun if the machine lacks what a clone needs */
  constructor() {
    if (process.platform !== "linux") throw new NotRun("finding the processes that a mutant leaves needs Linux");
    const { bavail, bsize } = statfsSync(tmpdir());
    if ((bavail * bsize) / 2 ** 20 < NEEDED_MB)
      throw new NotRun(`the clone needs ${NEEDED_MB} MB of disk in ${tmpdir()}, set TMPDIR to another folder`);
    // A short name: the path of a Unix socket has 108 bytes at most.
    this.#folder = mkdtempSync(join(tmpdir(), "mut-"));
    // Tests start the program as other users, too.
    chmodSync(this.#folder, 0o755);
    this.root = join(this.#folder, "c");
    this.temporary = join(this.#folder, "t");
    this.#own = join(this.#folder, "own");
    this.switches = join(this.#folder, "s");
    for (const path of [this.temporary, this.#own]) mkdirSync(path);
  }

  /** Clones the repository, with what is not committed. @throws NotRun without git or a repository */
  clone(checkout: string): void {
    if (spawnSync("git", ["-C", checkout, "rev-parse", "HEAD"]).status !== 0)
      throw new NotRun("a copy of the sources needs git, and a repository");
    const clone = spawnSync("bash", [join(checkout, "scripts/platforms/clone.sh"), this.root], { encoding: "utf8" });
    if (clone.status !== 0) throw new Error(`the repository cannot be cloned\n${clone.stderr}`);
    for (const name of ["dist", "dist-standalone", "bin/sophia-run.cjs"]) {
      if (existsSync(join(checkout, name))) cpSync(join(checkout, name), join(this.root, name), { recursive: true });
    }
    mkdirSync(join(checkout, ".cache"), { recursive: true });
    for (const name of ["node_modules", ".cache"]) symlinkSync(join(checkout, name), join(this.root, name));
  }

  read(file: string): string {
    return readFileSync(join(this.root, file), "utf8");
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.root, file), text);
  }

  /** Runs a command in the clone, and kills it at its limit. */
  async run(command: readonly string[], limitMs: number): Promise<Ending> {
    const child = this.start(command, ["ignore", "pipe", "ignore"]);
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
    const timer = setTimeout(() => this.stop(child), limitMs);
    try {
      const [status] = await once(child, "close");
      return { status: typeof status === "number" ? status : undefined, output };
    } finally {
      clearTimeout(timer);
      this.stop(child);
    }
  }

  /** Starts a command in the clone, in a process group of its own. The caller must call {@link stop}. */
  start(command: readonly string[], stdio: StdioOptions): ChildProcess {
    const [file = "", ...args] = command;
    // On GitHub each failed test would become an annotation of the run.
    const quiet = { GITHUB_ACTIONS: "", GITHUB_STEP_SUMMARY: "", TEST_REPORTS: "" };
    const env = { ...process.env, ...quiet, TMPDIR: this.#own };
    const child = spawn(file, args, { cwd: this.root, env, stdio, detached: true });
    this.#running.add(child);
    return child;
  }

  /** Kills a command that has been started, and all processes of its group. */
  stop(child: ChildProcess): void {
    this.#running.delete(child);
    if (child.pid !== undefined) signalGroup(child.pid);
  }

  /** Removes all that tests have left: processes, except those of commands that run here, and files. */
  clear(): void {
    this.#killLeftProcesses();
    for (const name of readdirSync(this.temporary)) remove(join(this.temporary, name));
  }

  /** Ends what runs, and removes the clone. */
  close(): void {
    for (const child of this.#running) this.stop(child);
    this.#killLeftProcesses();
    remove(this.#folder);
  }

  /**
   * Kills the processes that work in the clone's folder, or have a path below it as an argument. Tests start them in sessions of their
   * own. A command that runs and its children, such as the workers of vitest, stay.
   */
  #killLeftProcesses(): void {
    const running = new Set([...this.#running].map(({ pid }) => pid));
    for (const pid of readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)) {
      try {
        const isOwn =
          `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${this.#folder}/`) ||
          readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`${this.#folder}/`);
        const parent = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]);
        const isCommand = running.has(pid) || running.has(parent);
        if (isOwn && !isCommand && pid !== process.pid) process.kill(pid, "SIGKILL");
      } catch {
        // It has ended, or is of another user.
      }
    }
  }
}

function signalGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group has ended.
  }
}

/** Removes a folder, also if a killed test has left folders without permissions in it. */
function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    spawnSync("chmod", ["-R", "u+rwx", path]);
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  }
}
