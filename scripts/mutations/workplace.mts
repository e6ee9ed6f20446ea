/**
 * A clone of the repository in which mutants are built and tested, so that nothing in the user's checkout changes. It shares the
 * installed packages and `.cache` with the checkout.
 */
import { spawn, spawnSync } from "node:child_process";
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
/** A process that was asked to end gets SIGKILL after so long. */
const GRACE_MS = 10_000;

/** How a command ended. `overdue`: it was killed at its limit. */
export type Ending = { readonly kind: "status"; readonly status: number } | { readonly kind: "overdue" };

export class Workplace {
  /** The clone. */
  readonly root: string;
  /** Below it are the clone and what tests make, and nothing else. */
  readonly #folder: string;
  #running: { readonly pid: number } | undefined;

  /** Clones the repository, with what is not committed. The caller must call `close`. @throws NotRun */
  constructor(checkout: string) {
    if (process.platform !== "linux") throw new NotRun("finding the processes that a mutant leaves needs Linux");
    if (spawnSync("git", ["-C", checkout, "rev-parse", "HEAD"]).status !== 0)
      throw new NotRun("a copy of the sources needs git, and a repository");
    const { bavail, bsize } = statfsSync(tmpdir());
    if ((bavail * bsize) / 2 ** 20 < NEEDED_MB)
      throw new NotRun(`the clone needs ${NEEDED_MB} MB of disk in ${tmpdir()}, set TMPDIR to another folder`);
    // A short name: the path of a Unix socket has 108 bytes at most.
    this.#folder = mkdtempSync(join(tmpdir(), "mut-"));
    // Tests start the program as other users, too.
    chmodSync(this.#folder, 0o755);
    this.root = join(this.#folder, "c");
    mkdirSync(join(this.#folder, "t"));
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

  /** Runs a command in the clone. Afterwards none of the processes is left that it has started. */
  async run(command: readonly string[], limitMs: number, variables: NodeJS.ProcessEnv = {}): Promise<Ending> {
    const [file = "", ...args] = command;
    // On GitHub each failed test would become an annotation of the run.
    const quiet = { GITHUB_ACTIONS: "", GITHUB_STEP_SUMMARY: "" };
    const env = { ...process.env, ...quiet, TMPDIR: join(this.#folder, "t"), ...variables };
    const child = spawn(file, args, { cwd: this.root, env, stdio: "ignore", detached: true });
    const { pid } = child;
    const ended = new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (status) => resolve(status ?? 1));
    });
    if (pid === undefined) return { kind: "status", status: await ended };
    this.#running = { pid };
    let isOverdue = false;
    const timers = [
      setTimeout(() => {
        isOverdue = true;
        signalGroup(pid, "SIGTERM");
      }, limitMs),
      setTimeout(() => signalGroup(pid, "SIGKILL"), limitMs + GRACE_MS),
    ];
    try {
      const status = await ended;
      return isOverdue ? { kind: "overdue" } : { kind: "status", status };
    } finally {
      for (const timer of timers) clearTimeout(timer);
      this.#running = undefined;
      signalGroup(pid, "SIGKILL");
      this.#killLeftProcesses();
    }
  }

  /** Removes all files that tests have left. */
  clear(): void {
    const temporary = join(this.#folder, "t");
    for (const name of readdirSync(temporary)) remove(join(temporary, name));
  }

  /** Ends what runs, and removes the clone. */
  close(): void {
    if (this.#running !== undefined) signalGroup(this.#running.pid, "SIGKILL");
    this.#killLeftProcesses();
    remove(this.#folder);
  }

  /** Kills the processes that work in the clone's folder, or have a path below it as an argument. Tests start them in sessions of their own. */
  #killLeftProcesses(): void {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const isOwn =
          `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${this.#folder}/`) ||
          readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`${this.#folder}/`);
        if (isOwn && Number(pid) !== process.pid) process.kill(Number(pid), "SIGKILL");
      } catch {
        // It has ended, or is of another user.
      }
    }
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
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
