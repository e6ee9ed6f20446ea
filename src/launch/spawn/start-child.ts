import type { ChildProcess } from "node:child_process";
import { access } from "node:fs";
import { ExitStatus } from "../../core/error.ts";
import type { Libc } from "../../../native/system.ts";
import { isBun } from "../../system/runtime.ts";
import { asShellScript } from "../program/find-executable.ts";
import { refuseForeignProgram } from "../program/emulation.ts";
import { inspectImage } from "../program/image.ts";
import type { Undo } from "../event-listeners.ts";
import { setCallersOpenFiles } from "../open-files.ts";
import { excludeFromCoreDumps } from "../preflight.ts";
import type { Secret } from "../../masking/masking-model.ts";
import type { Outputs } from "../masking/outputs.ts";
import type { System } from "../masking/masking-system.ts";
import { softLimit } from "../proc/process-stat.ts";
import { send } from "../signals.ts";
import type { Launch, Program, Running } from "../types.ts";
import type { Restarts } from "../watch/restarts.ts";
import { loadStartChild, type Descriptors } from "./child.ts";
import { release } from "./end.ts";
import { forwardSignals } from "./forward-signals.ts";
import { relayMessages, type IpcChannel } from "./ipc.ts";
import { withOwnPid, withParentDeathSignal } from "./wrappers.ts";

/** State of this process that survives a restart of the program. */
export interface LauncherState {
  readonly ipc: IpcChannel | undefined;
  readonly libc: Libc | undefined;
  readonly restarts: Restarts | undefined;
  stopForwarding: Undo;
  restoreCoreFilter: Undo;
  maskingSystem?: System | undefined;
}

export interface StartedProgram {
  readonly ended: Promise<NodeJS.Signals | number>;
  readonly outputs: Outputs | undefined;
  /** Cleans up after its end: writes the rest of its output and removes its files. @param isLast it is not restarted */
  readonly finish: (isLast: boolean) => Promise<void>;
}

interface FailedStart {
  readonly code: string | Promise<string>;
}

/** A program that has just been started; `child` if Node.js, not the monitor of a session, has started it. */
interface StartedProcess extends Running {
  readonly child: ChildProcess | undefined;
}

/** Starts the program; undefined if a stop was requested during a restart. @throws SophiaError if it cannot be started */
export async function startProgram(launch: Launch, state: LauncherState): Promise<StartedProgram | undefined> {
  let parts = await loadParts(launch, state);
  for (let newer = state.restarts?.takeNewer(); newer !== undefined; newer = state.restarts?.takeNewer()) {
    parts = await loadParts(newer, state);
  }
  const started = startNow(parts);
  if (started === undefined || "ended" in started) return started;
  const { executionError } = await import("../program/start-error.ts");
  throw executionError(launch.command[0], parts.launch.program, await started.code);
}

type Parts = Awaited<ReturnType<typeof loadParts>>;

/** Loads what the start needs, since it must not wait for anything itself. */
async function loadParts(launch: Launch, state: LauncherState) {
  const { command, files, program, outputMasking } = launch;
  await refuseForeignProgram(command[0], program);
  const secretFiles = files.length === 0 ? undefined : await import("../secret-files.ts");
  const masking = outputMasking && { ...(await import("../masking/open.ts")), outputMasking };
  if (masking !== undefined) state.maskingSystem ??= await masking.openSystem();
  const messages = state.restarts && (await import("../masking/messages.ts")).messageWriter(2, "\n");
  const startChild = await loadStartChild();
  return { launch, state, secretFiles, masking, messages, startChild };
}

/**
 * Starts the program in one turn of the event loop, without an `await`. A signal before the listeners acts by the kernel's
 * default action; a later one is delivered once the program exists.
 */
function startNow(parts: Parts): StartedProgram | FailedStart | undefined {
  const { state } = parts;
  if (state.restarts?.isWanted() === false) return undefined;
  const setup = setUp(parts);
  let started: StartedProcess | FailedStart;
  try {
    started = fork(parts, setup);
  } catch (error) {
    state.stopForwarding();
    throw error;
  }
  if ("ended" in started) return attach(parts, setup, started);
  state.stopForwarding();
  return started;
}

/** The program's process, for listeners of signals that are there before its start and after its end. */
class SignalTarget {
  /** Undefined before the start, and after the end: the kernel may give the PID to another process. */
  pid: number | undefined;
  private killTimer: NodeJS.Timeout | undefined;

  /** Sends SIGKILL after some time, once for all calls. */
  killAfter(ms: number): void {
    this.killTimer ??= setTimeout(() => this.pid !== undefined && send(this.pid, "SIGKILL"), ms);
  }

  stopKilling(): void {
    clearTimeout(this.killTimer);
  }
}

type Setup = ReturnType<typeof setUp>;

/** Before the fork: makes what the program gets, and then listens to signals and protects this process, in this order. */
function setUp({ launch, state, secretFiles, masking }: Parts) {
  const { files, options, preparation, program } = launch;
  const { ipc, libc, restarts } = state;
  const outputs = masking?.openOutputs(launch, masking.outputMasking, state.maskingSystem, {
    mayHaveSession: ipc === undefined,
    isRenewed: restarts !== undefined,
  });
  const secrets = secretFiles?.writeSecretFiles(files, program.environment.get("XDG_RUNTIME_DIR"));
  const hasConnections = mayLoseReaders(launch, state);
  const target = new SignalTarget();
  const stopForwarding = (outputs?.session?.forward ?? forwardSignals)({
    pid: () => target.pid,
    firstProcess: preparation.firstProcess,
    profiled: launch.profiled,
    writesAlone: hasConnections && libc === undefined,
    // Masked output is written by this process: with a limit on the size of files SIGXFSZ is most likely about that.
    isOfWrite: (signal) =>
      signal === "SIGXFSZ" && outputs !== undefined && softLimit("self", "Max file size") !== "unlimited",
    reapOrphans: () => reapOrphans(libc, target),
    terminal: outputs?.terminal,
    onSignal: restarts?.onSignal,
    onStopRequest: () => options.killAfterMs !== undefined && target.killAfter(options.killAfterMs),
  });
  // Listeners of the former program, and those of this process alone, go once there are others: no signal is missed.
  state.stopForwarding();
  state.stopForwarding = stopForwarding;
  preparation.stopListening();
  state.restoreCoreFilter();
  // Before the program can read this process's memory. Its execution makes the program dumpable again.
  libc?.makeUndumpable();
  // The program would inherit the former program's block.
  if (hasConnections) libc?.blockOwnWrites(0);
  return { outputs, secrets, target, hasConnections };
}

/** Returns true if services or clients may end a connection at any time: the kernel sends SIGPIPE for the next write. */
function mayLoseReaders({ broker }: Launch, { restarts }: LauncherState): boolean {
  return (broker !== undefined || restarts !== undefined) && !isBun && process.platform !== "win32";
}

function reapOrphans(libc: Libc | undefined, { pid }: SignalTarget): void {
  if (pid !== undefined) libc?.reapAllBut(pid);
}

/** The fork itself, with the limits that the program inherits. @throws SophiaError (125) if an option is impossible */
function fork(parts: Parts, setup: Setup): StartedProcess | FailedStart {
  const { options, program } = parts.launch;
  const { secrets } = setup;
  const restoreOpenFiles = options.restoreNofile ? setCallersOpenFiles() : undefined;
  try {
    const environment =
      secrets === undefined ? program.environment : new Map([...program.environment, ...secrets.paths]);
    const withPid = withOwnPid({ ...program, environment });
    const whole = options.dieWithLauncher ? withParentDeathSignal(withPid) : withPid;
    const started = execute(parts, setup, whole);
    // libuv calls execvp(3): glibc's starts the shell itself, musl's does not.
    const isScript = "code" in started && started.code === "ENOEXEC" && inspectImage(whole.file).kind === "unknown";
    return isScript ? execute(parts, setup, asShellScript(whole)) : started;
  } finally {
    restoreOpenFiles?.();
  }
}

function execute(
  { launch, state, startChild }: Parts,
  { outputs }: Setup,
  program: Program,
): StartedProcess | FailedStart {
  const { ipc } = state;
  if (outputs?.session !== undefined) {
    const running = outputs.session.execute(program);
    return typeof running === "string" ? { code: running } : { ...running, child: undefined };
  }
  const child = startChild(program, descriptors(launch.inherited.numbers, outputs?.given, ipc), ipc);
  if (typeof child === "string" || "then" in child) return { code: child };
  const ended = new Promise<NodeJS.Signals | number>((resolve) => {
    child.once("exit", (status, signal) => resolve(signal ?? status ?? ExitStatus.failed));
  });
  return { pid: child.pid, ended, child };
}

/** After the fork: connects the program with what was made for it, and gives up what is the program's alone. */
function attach(parts: Parts, setup: Setup, started: StartedProcess): StartedProgram {
  const { launch, state, messages } = parts;
  const { outputs, secrets, target, hasConnections } = setup;
  const { broker, preparation } = launch;
  const { ipc, libc, restarts } = state;
  const { pid, child } = started;
  target.pid = pid;
  // Orphans may have ended while no program ran.
  if (preparation.firstProcess) reapOrphans(libc, target);
  if (hasConnections && libc !== undefined) {
    // Outputs are written in other threads, which must exist by now: their SIGPIPE is the program's.
    access("/", () => {});
    libc.blockOwnWrites(1);
  }
  const ended = started.ended.finally(() => (target.pid = undefined));
  // An undumpable process needs no filter, and could not restore it for the next program.
  if (restarts === undefined || libc === undefined) state.restoreCoreFilter = excludeFromCoreDumps(preparation.addon);
  const relay =
    ipc === undefined || child === undefined
      ? undefined
      : relayMessages(child, ipc, libc, () => restarts?.isUnderWay() === true);
  outputs?.start(child);
  const write = outputs?.write ?? messages?.write;
  if (write !== undefined) restarts?.started(pid, write, outputs);
  const maskFurther = outputs === undefined ? undefined : (further: readonly Secret[]) => outputs.maskFurther(further);
  broker?.started(write, maskFurther, secrets?.replace);
  if (restarts === undefined && process.platform !== "win32") releaseDescriptors(launch, ipc, outputs);
  const finish: StartedProgram["finish"] = async (isLast) => {
    target.stopKilling();
    await relay?.drained(isLast);
    if (!isLast) relay?.end();
    await outputs?.finish(isLast, typeof (await ended) === "string");
    // Background processes must not delay the exit. The listeners stay, so that a late signal does not change the status.
    secrets?.remove();
  };
  return { ended, outputs, finish };
}

/** Closes the program's descriptors in this process. With --watch the next program gets them, too. */
function releaseDescriptors({ broker, inherited }: Launch, ipc: IpcChannel | undefined, outputs: Outputs | undefined) {
  const kept = new Set([...inherited.doubtful, ...(outputs?.kept ?? []), ipc?.descriptor]);
  // The broker reports there at the end. A reader of a pipe would otherwise have gone by then.
  if (broker !== undefined) kept.add(2);
  release([0, 1, 2, ...inherited.numbers].filter((descriptor) => !kept.has(descriptor)));
}

/** Lists the program's descriptors: each inherited one, or its replacement, at its own number; nothing in the gaps. */
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
