import type { ChildProcess } from "node:child_process";
import { ExitStatus } from "../../core/error.ts";
import type { Libc } from "../../system/addon/libc.ts";
import { asShellScript } from "../program/executable.ts";
import { refuseForeignProgram } from "../program/emulation.ts";
import type { Undo } from "../listen.ts";
import { setCallersOpenFiles } from "../open-files.ts";
import { withholdMemory } from "../proc/core-dump.ts";
import type { Outputs } from "../redact/outputs.ts";
import type { System } from "../redact/system.ts";
import { send } from "../signals.ts";
import type { Launch, Program, Running } from "../types.ts";
import type { Restarts } from "../watch/restarts.ts";
import { loadStartChild, type Descriptors } from "./child.ts";
import { dyingWithLauncher } from "./die-with-launcher.ts";
import { forwardSignals } from "./forward.ts";
import { relayMessages, type IpcChannel } from "./ipc.ts";
import { withOwnPidVariables } from "./pid-variables.ts";
import { release } from "./release.ts";

/** The state of this process that the programs share which it starts one after the other. */
export interface LauncherState {
  readonly ipc: IpcChannel | undefined;
  readonly libc: Libc | undefined;
  /** Passes on what the runtime cannot: see `passOnTo` of redact/addon.ts. */
  readonly passOnTo: ((pid: number) => void) | undefined;
  readonly restarts: Restarts | undefined;
  /** Ends the forwarding to the program before. */
  stopForwarding: Undo;
  /** Puts back what core dumps hold: a child inherits it. */
  restoreCoreFilter: Undo;
  /** Made for the first program of which the output is masked. */
  redactSystem?: System | undefined;
}

/** A program that was started. */
export interface Begun {
  readonly ended: Promise<NodeJS.Signals | number>;
  readonly outputs: Outputs | undefined;
  /** It has ended: passes on what it wrote, and removes its files. @param isLast no other takes its place */
  readonly settle: (isLast: boolean) => Promise<void>;
}

/** The code of the system's error of a program that was not started. */
interface NotStarted {
  readonly code: string | Promise<string>;
}

/**
 * Starts the program.
 *
 * @returns undefined if a stop was requested while the program before was being replaced
 * @throws SophiaError when it cannot be executed
 */
export async function begin(launch: Launch, state: LauncherState): Promise<Begun | undefined> {
  const begun = launchNow(await prepareAll(launch, state));
  if (begun === undefined || "ended" in begun) return begun;
  const { executionError } = await import("../program/start-error.ts");
  throw executionError(launch.command[0], launch.program, await begun.code);
}

type Ready = Awaited<ReturnType<typeof prepareAll>>;

/** Loads and finds all that `launchNow` needs. */
async function prepareAll(launch: Launch, state: LauncherState) {
  const { command, files, program, redaction } = launch;
  await refuseForeignProgram(command[0], program);
  const secretFiles = files.length === 0 ? undefined : await import("./secret-files.ts");
  const redact = redaction && { ...(await import("../redact/outputs.ts")), redaction };
  if (redact !== undefined) state.redactSystem ??= await redact.openSystem();
  const messages = state.restarts && (await import("../redact/messages.ts")).messageWriter(2, "\n");
  const startChild = await loadStartChild();
  return { launch, state, secretFiles, redact, messages, startChild };
}

/**
 * Starts the program in one turn of the event loop. A signal that comes before the listeners is the kernel's to act upon,
 * one that comes after them is delivered when the program is there.
 *
 * @returns undefined as `begin`
 * @throws SophiaError when files or outputs cannot be made
 */
function launchNow({
  launch,
  state,
  secretFiles,
  redact,
  messages,
  startChild,
}: Ready): Begun | NotStarted | undefined {
  const { files, inherited, options, preparation, program } = launch;
  const { ipc, libc, restarts } = state;
  if (restarts?.isWanted() === false) return undefined;
  const outputs = redact?.openOutputs(launch, redact.redaction, state.redactSystem, {
    mayHaveSession: ipc === undefined,
    isRenewed: restarts !== undefined,
  });
  const session = outputs?.session;
  const secrets = secretFiles?.writeSecretFiles(files, program.environment.get("XDG_RUNTIME_DIR"));
  let running: number | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const stopForwarding = (session?.forward ?? forwardSignals)({
    pid: () => running,
    firstProcess: preparation.firstProcess,
    profiled: preparation.profiled,
    reapOrphans: libc && (() => running !== undefined && libc.reapAllBut(running)),
    terminal: outputs?.terminal,
    onSignal: restarts?.onSignal,
    onStopRequest: () => {
      if (options.killAfterMs === undefined) return;
      killTimer ??= setTimeout(() => running !== undefined && send(running, "SIGKILL"), options.killAfterMs);
    },
  });
  state.passOnTo?.(0);
  state.stopForwarding();
  state.stopForwarding = stopForwarding;
  preparation.stopListening();
  state.restoreCoreFilter();
  // Before the program can look: its own execution makes it dumpable again.
  libc?.makeUndumpable();
  let child: ChildProcess | undefined;
  const attempt = (one: Program): Running | string | Promise<string> => {
    if (session !== undefined) return session.execute(one);
    const started = startChild(one, descriptors(inherited.numbers, outputs?.given, ipc), ipc);
    if (typeof started === "string" || "then" in started) return started;
    child = started;
    return runningChild(started);
  };
  let restoreOpenFiles: Undo = () => {};
  let begun: ReturnType<typeof attempt>;
  try {
    if (options.restoreNofile) restoreOpenFiles = setCallersOpenFiles();
    const environment =
      secrets === undefined ? program.environment : new Map([...program.environment, ...secrets.paths]);
    let whole = withOwnPidVariables({ ...program, environment });
    if (options.dieWithLauncher) whole = dyingWithLauncher(whole);
    begun = attempt(whole);
    // glibc's execvp(3), which libuv calls, starts the shell itself; musl's does not.
    if (begun === "ENOEXEC") begun = attempt(asShellScript(whole));
  } catch (error) {
    stopForwarding();
    throw error;
  } finally {
    restoreOpenFiles();
  }
  if (typeof begun === "string" || "then" in begun) {
    stopForwarding();
    return { code: begun };
  }
  running = begun.pid;
  state.passOnTo?.(begun.pid ?? -1);
  // Reaped: from then on the PID may be another process's.
  const ended = begun.ended.finally(() => (running = undefined));
  // An undumpable process needs no filter, and could not put it back for the next program.
  if (restarts === undefined || libc === undefined) state.restoreCoreFilter = withholdMemory(preparation.addon);
  const relay =
    ipc === undefined || child === undefined ? undefined : relayMessages(child, () => restarts?.isUnderWay() === true);
  outputs?.start(child);
  const write = outputs?.write ?? messages?.write;
  if (write !== undefined) restarts?.started(running, write);
  // A program that takes the place of this one gets them, too.
  if (process.platform !== "win32" && restarts === undefined) {
    const kept = new Set([...inherited.doubtful, ...(outputs?.kept ?? []), ipc?.descriptor]);
    release([0, 1, 2, ...inherited.numbers].filter((number) => !kept.has(number)));
  }
  const settle: Begun["settle"] = async (isLast) => {
    state.passOnTo?.(-1);
    clearTimeout(killTimer);
    await relay?.drained();
    if (!isLast) relay?.end();
    await outputs?.finish(isLast, typeof (await ended) === "string");
    // At once and without looking at streams: what the program left running in the background delays nobody. The
    // forwarding listeners are still there, so that a late signal does not change the status.
    secrets?.remove();
  };
  return { ended, outputs, settle };
}

/** The program's descriptors: each inherited one at its own number or what is given in its place, nothing in the gaps. */
function descriptors(
  inherited: readonly number[],
  given: ReadonlyMap<number, number | "pipe"> | undefined,
  ipc: IpcChannel | undefined,
): Descriptors {
  const passed = new Set([0, 1, 2, ...inherited]);
  const length = Math.max(...passed, ipc?.descriptor ?? 0) + 1;
  return Array.from({ length }, (_, descriptor) => {
    if (descriptor === ipc?.descriptor) return "ipc";
    return given?.get(descriptor) ?? (passed.has(descriptor) ? descriptor : "ignore");
  });
}

function runningChild(child: ChildProcess): Running {
  return {
    pid: child.pid,
    ended: new Promise((resolve) => {
      child.once("exit", (status, signal) => resolve(signal ?? status ?? ExitStatus.failed));
    }),
  };
}
