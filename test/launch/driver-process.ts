/**
 * Starts programs by src/launch in a process of their own (driver.ts), without the rest of sophia-run. The bundle of
 * the driver is removed after the test file, and a launcher that still runs is killed after its test.
 */
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

/** What the driver launches: the first argument of `driver.ts`, as JSON. */
export interface DriverRequest {
  readonly files?: readonly SecretFile[];
  readonly mode?: "auto" | "spawn" | "exec";
  readonly killAfterMs?: number;
  readonly dieWithLauncher?: boolean;
  readonly restoreNofile?: boolean;
}

/** A running launcher, and what it and its program write. */
export interface LaunchedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves with the next line on standard output. */
  readonly line: () => Promise<string>;
  /** Resolves when the launcher has ended and all its output was read. */
  readonly ended: Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>;
  readonly stderr: () => string;
}

/** Bundles the driver once for a test file, and returns a function that starts the driver. @param options options of Node.js */
export function useDriver(
  ...options: readonly string[]
): (request: DriverRequest, ...command: readonly string[]) => LaunchedProcess {
  const driverCommand = useDriverCommand(...options);
  return (request, ...command) => startLauncher(driverCommand(request, ...command));
}

/** The package whose native files the driver uses. scripts/platforms/monitor-sanitizers.sh names another package. */
const nativePackage = process.env["SOPHIA_RUN_DRIVEN_PACKAGE"] ?? join(dirname(addon), "..");

/** The addon that the driver uses. */
export const drivenAddon = join(nativePackage, "dist", basename(addon));

/**
 * Bundles the driver once for a test file, and returns a function that builds its command line.
 *
 * @param options options of Node.js
 */
export function useDriverCommand(
  ...options: readonly string[]
): (request: DriverRequest, ...command: readonly string[]) => readonly [string, ...string[]] {
  const folder = mkdtempSync(join(tmpdir(), "sophia-run-driver-"));
  const outfile = join(folder, "driver.cjs");
  beforeAll(async () => {
    await build({
      input: join(import.meta.dirname, "driver.ts"),
      platform: "node",
      transform: { define: { SOPHIA_RUN_FOLDER: JSON.stringify(join(nativePackage, "bin")) } },
      output: { file: outfile, format: "cjs", codeSplitting: false },
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  return (request, ...command) => [process.execPath, ...options, outfile, JSON.stringify(request), ...command];
}

function startLauncher([file, ...args]: readonly [string, ...string[]]): LaunchedProcess {
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

/** Resolves when the process has exited. It need not be a child of this process. */
export async function waitForExit(pid: number): Promise<void> {
  // `tail --pid` polls the process, and exits when the process has exited.
  const [status] = await once(spawn("tail", ["--pid", String(pid), "-f", "/dev/null"], { stdio: "ignore" }), "exit");
  if (status !== 0) throw new Error(`tail ended with ${String(status)}`);
}
