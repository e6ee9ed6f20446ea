/**
 * Runs a case of a fault of ESC: by the reader in this process, or by a start of sophia-run. The server, the folder and
 * what the case has started are removed afterwards.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { SophiaError } from "../../../src/core/error.ts";
import type { Failure } from "../../../src/core/model.ts";
import { type EscServer, secret, startEscServer } from "../../esc-server/index.ts";
import type { Certificates } from "../../esc-server/tls.ts";
import { sophiaRun as launcher } from "../../helpers/program.ts";
import { terminalCommand } from "../../helpers/terminal-command.ts";
import { type ProcessResult, runProgram, runSophia } from "../run-program.ts";
import { closeStrictly, readEscFrom, type ProgressLog } from "../read-esc.ts";
import { VirtualClock } from "../virtual-clock.ts";
import type { FaultCase, Stage, Variables } from "./case.ts";
import { SENTINEL_SECRET, SENTINEL_TOKEN } from "./sentinels.ts";

/** The outcome of the reader in this process. */
export interface ReadResult {
  /** `read`, the code of the failure, or the name of an error that should not be. */
  readonly code: string;
  readonly notices: number;
  /** Message, hint and details of the fault. */
  readonly texts: readonly string[];
  /** Everything that a careless `console.log` or crash report could show. */
  readonly exposed: string;
  /** By the clock of the test. */
  readonly elapsedMs: number;
}

/** The outcome of the real entry with a program that does nothing. */
export interface LaunchResult extends ProcessResult {
  /** Files that it left in its working directory. */
  readonly leftoverFiles: readonly string[];
}

export const USUAL_TIMEOUT_MS = 10_000;

/** Causes a fault and calls `act`. @returns also the requests */
export async function withFault<T>(
  one: FaultCase,
  certificates: Certificates,
  act: (variables: Variables, stage: Stage) => Promise<T>,
): Promise<{ readonly result: T; readonly calls: readonly string[] }> {
  const server = await startEscServer({ token: SENTINEL_TOKEN });
  const folder = await mkdtemp(join(tmpdir(), "esc-faults-"));
  const deferred: (() => Promise<void>)[] = [];
  try {
    addEnvironment(server);
    const stage: Stage = { server, certificates, folder, defer: (close) => void deferred.push(close) };
    const more = await one.arrange(stage);
    const usual = { ESC_ENV: "demo-org/sophia/dev", ESC_TOKEN: SENTINEL_TOKEN, PULUMI_BACKEND_URL: server.url };
    const result = await act({ ...usual, ...more }, stage);
    const calls = server.calls.map(({ operation }) => operation ?? "unknown");
    return {
      result,
      calls: calls.filter((call) => one.countedOperation === undefined || call === one.countedOperation),
    };
  } finally {
    for (const close of deferred) await close();
    await rm(folder, { recursive: true });
    await closeStrictly(server);
  }
}

function addEnvironment(server: EscServer): void {
  server.environment("demo-org/sophia/dev", {
    values: { PLAIN: "plain", KEY: secret(SENTINEL_SECRET), PORT: 8080 },
    files: { CERTIFICATE: secret(`${SENTINEL_SECRET} in a file`) },
  });
}

/** Reads in this process, by a clock that is put forward to the deadline where nothing else ends the request. */
export async function readWithFault(one: FaultCase, variables: Variables, { server }: Stage): Promise<ReadResult> {
  const progressLog: ProgressLog = { waiting: [], retries: [] };
  const clock = new VirtualClock();
  const reading = readEscFrom(variables, { timeoutMs: USUAL_TIMEOUT_MS, progressLog, clock }).catch(
    (error: unknown) => ({
      kind: "thrown" as const,
      error,
    }),
  );
  if (one.isStuck !== undefined) {
    await one.isStuck(server, clock);
    clock.advance(USUAL_TIMEOUT_MS);
  }
  const outcome = await reading;
  const elapsedMs = clock.now();
  const shown = outcome.kind === "read" ? outcome.notices : outcome;
  const stack = outcome.kind === "thrown" && outcome.error instanceof Error ? String(outcome.error.stack) : "";
  const exposed = [inspect(shown, { depth: null, showHidden: true }), JSON.stringify([shown, progressLog]), stack].join(
    "\n",
  );
  if (outcome.kind === "read") return { code: "read", notices: outcome.notices.length, texts: [], exposed, elapsedMs };
  const of = ({ code, message, hint = "", details = [] }: Failure): ReadResult => {
    return { code, notices: 0, texts: [message, hint, ...details], exposed, elapsedMs };
  };
  if (outcome.kind !== "thrown") return of(outcome.failure);
  if (outcome.error instanceof SophiaError) return of(outcome.error);
  return { code: `not a SophiaError: ${String(outcome.error)}`, notices: 0, texts: [], exposed, elapsedMs };
}

/** A terminal shows both outputs; the program prints nothing. */
async function atTerminal(args: readonly string[], variables: Variables, folder: string): Promise<ProcessResult> {
  const { status, signal, stdout } = await runProgram(terminalCommand([...launcher, ...args]), variables, folder);
  return { status, signal, stdout: "", stderr: stdout.replaceAll("\r", "") };
}

/** Starts a program that does nothing by the real entry. */
export async function launchWithFault(
  one: FaultCase,
  variables: Variables,
  { folder }: Stage,
  options: readonly string[],
): Promise<LaunchResult> {
  const before = new Set(await readdir(folder));
  const timeout = `${one.timeoutMs ?? USUAL_TIMEOUT_MS}ms`;
  const { isAtTerminal = false, options: own = [], program = ["true"], isChecked, command } = one.startOptions ?? {};
  const unchecked = isChecked === true ? [] : ["--no-contract"];
  const args = command ?? [...unchecked, "--timeout", timeout, ...own, ...options, "--", ...program];
  const finished = await (isAtTerminal ? atTerminal(args, variables, folder) : runSophia(args, variables, folder));
  const leftoverFiles = (await readdir(folder)).filter((name) => !before.has(name));
  return { ...finished, leftoverFiles };
}
