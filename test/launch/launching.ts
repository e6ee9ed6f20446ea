import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "rolldown";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import type { SecretFile } from "../../src/launch/index.ts";
import { addon } from "../helpers/sophia.ts";

/** A launch request for the driver. */
export interface DriverRequest {
  readonly files?: readonly SecretFile[];
  readonly mode?: "auto" | "spawn" | "exec";
  readonly killAfterMs?: number;
  readonly dieWithLauncher?: boolean;
  readonly restoreNofile?: boolean;
}

/** A launcher that runs, and what it and its program write. */
export interface Launched {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves with the next line on standard output. */
  readonly line: () => Promise<string>;
  /** Resolves when the launcher has ended and all its output was read. */
  readonly ended: Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly stderr: () => string;
}

/** Bundles the driver once for a test file; the result starts it. @param options of Node.js */
export function useDriver(
  ...options: readonly string[]
): (request: DriverRequest, ...command: readonly string[]) => Launched {
  const words = useDriversWords(...options);
  return (request, ...command) => start(words(request, ...command));
}

/** The package whose native files the driver takes; scripts/platforms/monitor-sanitizers.sh names another one. */
const driven = process.env["SOPHIA_RUN_DRIVEN_PACKAGE"] ?? join(dirname(addon), "..");

/** The addon that the driver takes. */
export const drivenAddon = join(driven, "dist", basename(addon));

/** Bundles the driver once for a test file; the result is a command line that starts it. @param options of Node.js */
export function useDriversWords(
  ...options: readonly string[]
): (request: DriverRequest, ...command: readonly string[]) => readonly [string, ...string[]] {
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-driver-"));
  const outfile = join(folder, "driver.cjs");
  beforeAll(async () => {
    await build({
      input: join(import.meta.dirname, "driver.ts"),
      platform: "node",
      transform: { define: { SOPHIA_RUN_FOLDER: JSON.stringify(join(driven, "bin")) } },
      output: { file: outfile, format: "cjs", codeSplitting: false },
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  return (request, ...command) => [process.execPath, ...options, outfile, JSON.stringify(request), ...command];
}

function start([file, ...args]: readonly [string, ...string[]]): Launched {
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal }));
  });
  return {
    child,
    pid: child.pid ?? 0,
    line: async () => {
      const next = await lines.next();
      if (next.done === true) throw new Error(`the output ended; stderr: ${stderr}`);
      return next.value;
    },
    ended,
    stderr: () => stderr,
  };
}

/** Resolves when the process has exited, whose child it is does not matter. */
export async function gone(pid: number): Promise<void> {
  // The process group of `tail --pid` polls; its end is the event.
  const [status] = await once(spawn("tail", ["--pid", String(pid), "-f", "/dev/null"], { stdio: "ignore" }), "exit");
  if (status !== 0) throw new Error(`tail ended with ${String(status)}`);
}
