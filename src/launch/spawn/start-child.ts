/**
 * Starts the program as a child of this process, for spawn.ts, and connects the program with what it needs: masked outputs, secret
 * files, the signals that it must get, and the IPC channel of the caller.
 *
 * A start has four steps. `loadParts` loads code, and may wait. The others run in one turn of the event loop: `setUp` makes what
 * the program gets, and begins to listen to signals; `fork` starts the process; `attach` connects it.
 */
import type { ChildProcess } from "node:child_process";
import { access } from "node:fs";
import { ExitStatus } from "../../core/error.ts";
import type { Libc } from "../../../native/system.ts";
import { isBun } from "../../system/runtime.ts";
import { asShellScript } from "../program/find-executable.ts";
import { refuseForeignProgram } from "../program/emulation.ts";
import { inspectImage } from "../program/image.ts";
import type { RemoveListeners } from "../event-listeners.ts";
import { setCallersOpenFiles } from "../open-files.ts";
import { excludeFromCoreDumps } from "../preflight.ts";
import type { Secret } from "../../masking/masking-model.ts";
import type { Outputs } from "../masking/outputs.ts";
import type { System } from "../masking/masking-system.ts";
import { readSoftLimit } from "../proc/process-stat.ts";
import { send } from "../signals.ts";
import type { SecretFiles } from "../secret-files.ts";
import type { createMessageWriter } from "../masking/messages.ts";
import type { Launch, OutputMasking, Program, ProgramEnd, RunningProgram } from "../types.ts";
import type { Restarts } from "../watch/restarts.ts";
import { loadStartChild, type Descriptors, type StartChild } from "./child.ts";
import { releaseDescriptors } from "./end.ts";
import { forwardSignals, type ForwardingOptions } from "./forward-signals.ts";
import { relayMessages, type IpcChannel } from "./ipc.ts";
import { withProgramPidVariables, withParentDeathSignal } from "./wrappers.ts";

/** The state of this process that stays the same, or is passed on, when the program is restarted. */
export interface LauncherState {
  readonly ipc: IpcChannel | undefined;
  readonly libc: Libc | undefined;
  /** undefined without `--watch`. */
  readonly restarts: Restarts | undefined;
  /** Removes the listeners that forward signals to the latest program. */
  stopForwarding: RemoveListeners;
  /** Restores the filter of core dumps, which the program inherits. */
  restoreCoreFilter: RemoveListeners;
  /** Opened at the first start whose output is masked. */
  maskingSystem?: System | undefined;
}

/** A program that runs, or has run. */
export interface StartedProgram {
  readonly ended: Promise<ProgramEnd>;
  readonly outputs: Outputs | undefined;
  /** Writes the rest of the output of a program that has ended, and removes its files. `isLast`: it is not restarted. */
  readonly finish: (options: { readonly isLast: boolean }) => Promise<void>;
}

interface FailedStart {
  /** The code of the system's error, such as `ENOENT`. */
  readonly code: string | Promise<string>;
}

/** A process that has just been started, and is not connected with anything yet. */
interface StartedProcess extends RunningProgram {
  /** undefined if the monitor of a session has started the program, not Node.js. */
  readonly child: ChildProcess | undefined;
}

/**
 * Starts the program.
 *
 * @returns undefined if this is a restart, and the user has asked the launcher to end meanwhile
 * @throws SophiaError if the program cannot be started
 */
export async function startProgram(launch: Launch, state: LauncherState): Promise<StartedProgram | undefined> {
  let parts = await loadParts(launch, state);
  // The values may have changed again meanwhile. The newest launch has all changes.
  for (;;) {
    const newerLaunch = state.restarts?.takeNewerLaunch();
    if (newerLaunch === undefined) break;
    parts = await loadParts(newerLaunch, state);
  }
  const started = startNow(parts);
  if (started === undefined || "ended" in started) return started;
  const { executionError } = await import("../program/start-error.ts");
  throw executionError(launch.command[0], parts.launch.program, await started.code);
}

/** The input of a start, and the code that only some starts need. */
interface StartParts {
  readonly launch: Launch;
  readonly state: LauncherState;
  /** undefined if the program gets no secret files. */
  readonly secretFiles: typeof import("../secret-files.ts") | undefined;
  /** undefined if the program's output is not masked. */
  readonly masking: (typeof import("../masking/open.ts") & { readonly outputMasking: OutputMasking }) | undefined;
  /** Writes messages of `--watch`; undefined without it. */
  readonly messages: ReturnType<typeof createMessageWriter> | undefined;
  readonly startChild: StartChild;
}

/** Checks the program, and loads the code that a start needs. The steps after this one must not wait for anything. */
async function loadParts(launch: Launch, state: LauncherState): Promise<StartParts> {
  const { command, files, program, outputMasking } = launch;
  await refuseForeignProgram(command[0], program);
  const secretFiles = files.length === 0 ? undefined : await import("../secret-files.ts");
  const masking = outputMasking && { ...(await import("../masking/open.ts")), outputMasking };
  if (masking !== undefined) state.maskingSystem ??= await masking.openSystem();
  const messages = state.restarts && (await import("../masking/messages.ts")).createMessageWriter(2, "\n");
  const startChild = await loadStartChild();
  return { launch, state, secretFiles, masking, messages, startChild };
}

/**
 * Starts the program in one turn of the event loop, without an `await`. A signal that comes before `setUp` has added the listeners
 * acts by the kernel's default action. A later signal is handled at the end of the turn, when the program exists.
 */
function startNow(parts: StartParts): StartedProgram | FailedStart | undefined {
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

/**
 * The process that gets the forwarded signals. Listeners refer to this object also before the program's start and after its end.
 */
class SignalTarget {
  /** undefined before the start, and after the end, since the kernel may give the PID to another process. */
  pid: number | undefined;
  private killTimer: NodeJS.Timeout | undefined;

  /** Sends SIGKILL after some time. Only the first call has an effect. */
  killAfter(ms: number): void {
    this.killTimer ??= setTimeout(() => this.pid !== undefined && send(this.pid, "SIGKILL"), ms);
  }

  cancelKill(): void {
    clearTimeout(this.killTimer);
  }
}

/** The objects that are made for the program before it is started. */
interface Setup {
  readonly outputs: Outputs | undefined;
  readonly secrets: SecretFiles | undefined;
  readonly target: SignalTarget;
  /** As {@link mayLoseReaders} returns it. */
  readonly hasConnections: boolean;
}

/**
 * Makes what the program gets, then listens to signals, and then protects this process. If the first of these steps fails, signals
 * act as before.
 */
function setUp({ launch, state, secretFiles, masking }: StartParts): Setup {
  const { files, preparation, program } = launch;
  const { ipc, libc, restarts } = state;
  const outputs = masking?.openOutputs(launch, masking.outputMasking, state.maskingSystem, {
    mayHaveSession: ipc === undefined,
    mayRestart: restarts !== undefined,
  });
  const secrets = secretFiles?.writeSecretFiles(files, program.environment.get("XDG_RUNTIME_DIR"));
  const hasConnections = mayLoseReaders(launch, state);
  const target = new SignalTarget();
  const setup: Setup = { outputs, secrets, target, hasConnections };
  const forwarding = createForwarding(launch, state, setup);
  const stopForwarding = outputs?.session?.listenToSignals(forwarding) ?? forwardSignals(forwarding);
  // The listeners for the former program, or those from before the first start, are removed only now. So no signal is missed.
  state.stopForwarding();
  state.stopForwarding = stopForwarding;
  preparation.stopListening();
  state.restoreCoreFilter();
  // The program could read this process's memory otherwise. The program itself is dumpable again as soon as it is executed.
  libc?.makeUndumpable();
  // `attach` blocks SIGPIPE for the writes of this process. A restarted program would inherit that.
  if (hasConnections) libc?.blockOwnWrites(0);
  return setup;
}

/** Returns the rules by which this process forwards signals to a program. */
function createForwarding(
  { options, preparation, profiled }: Launch,
  { libc, restarts }: LauncherState,
  { outputs, target, hasConnections }: Setup,
): ForwardingOptions {
  return {
    pid: () => target.pid,
    isFirstProcess: preparation.isFirstProcess,
    profiled,
    ignoresWriteSignals: hasConnections && libc === undefined,
    // This process writes the masked output. If the size of files is limited, these writes are the likely cause of a SIGXFSZ.
    isOfWrite: (signal) =>
      signal === "SIGXFSZ" && outputs !== undefined && readSoftLimit("self", "Max file size") !== "unlimited",
    reapOrphans: () => reapOrphans(libc, target),
    terminal: outputs?.terminal,
    onSignal: (signal) => restarts?.handleSignal(signal),
    onStopRequest: () => options.killAfterMs !== undefined && target.killAfter(options.killAfterMs),
  };
}

/**
 * Returns true if this process has connections to services or clients, which may end them at any time. The kernel sends SIGPIPE for
 * the next write then.
 */
function mayLoseReaders({ broker }: Launch, { restarts }: LauncherState): boolean {
  return (broker !== undefined || restarts !== undefined) && !isBun && process.platform !== "win32";
}

/** Reaps all children that have ended but the program. Does nothing while no program runs. */
function reapOrphans(libc: Libc | undefined, { pid }: SignalTarget): void {
  if (pid !== undefined) libc?.reapAllBut(pid);
}

/**
 * Starts the process, with the limits and the parent death signal that the options ask for, and with its own PID in variables of
 * systemd.
 *
 * @throws SophiaError (125) if an option of the user is impossible here
 */
function fork(parts: StartParts, setup: Setup): StartedProcess | FailedStart {
  const { options, program } = parts.launch;
  const { secrets } = setup;
  const restoreOpenFiles = options.restoreNofile ? setCallersOpenFiles() : undefined;
  try {
    const environment =
      secrets === undefined ? program.environment : new Map([...program.environment, ...secrets.paths]);
    const withPid = withProgramPidVariables({ ...program, environment });
    const wrapped = options.dieWithLauncher ? withParentDeathSignal(withPid) : withPid;
    const started = execute(parts, setup, wrapped);
    // libuv calls execvp(3), which starts the shell for a script without `#!` in glibc, but not in musl.
    const isScript = "code" in started && started.code === "ENOEXEC" && inspectImage(wrapped.file).kind === "unknown";
    return isScript ? execute(parts, setup, asShellScript(wrapped)) : started;
  } finally {
    restoreOpenFiles?.();
  }
}

/** Starts a program, in a session of its own if its masked outputs have one. */
function execute(
  { launch, state, startChild }: StartParts,
  { outputs }: Setup,
  program: Program,
): StartedProcess | FailedStart {
  const { ipc } = state;
  if (outputs?.session !== undefined) {
    const running = outputs.session.execute(program);
    return typeof running === "string" ? { code: running } : { ...running, child: undefined };
  }
  const child = startChild(program, descriptorsOf(launch.inherited.numbers, outputs?.programSides, ipc), ipc);
  if (typeof child === "string" || "then" in child) return { code: child };
  const ended = new Promise<ProgramEnd>((resolve) => {
    child.once("exit", (status, signal) => resolve(signal ?? status ?? ExitStatus.failed));
  });
  return { pid: child.pid, ended, child };
}

/** Connects the program with what was made for it, and closes what only the program needs. */
function attach(parts: StartParts, setup: Setup, started: StartedProcess): StartedProgram {
  const { launch, state } = parts;
  const { outputs, secrets, target, hasConnections } = setup;
  const { preparation } = launch;
  const { ipc, libc, restarts } = state;
  const { pid, child } = started;
  target.pid = pid;
  // No orphans were reaped while no program ran.
  if (preparation.isFirstProcess) reapOrphans(libc, target);
  if (hasConnections && libc !== undefined) blockOwnSignals(libc);
  const ended = started.ended.finally(() => (target.pid = undefined));
  // A process that is not dumpable needs no filter for core dumps, and could not restore the filter for the next program.
  if (restarts === undefined || libc === undefined) state.restoreCoreFilter = excludeFromCoreDumps(preparation.addon);
  const relay =
    ipc === undefined || child === undefined
      ? undefined
      : relayMessages(child, ipc, libc, () => restarts?.isUnderWay() === true);
  outputs?.start(child);
  reportStart(parts, setup, pid);
  // The next program of a watch needs the descriptors, too.
  if (restarts === undefined && process.platform !== "win32") releaseProgramDescriptors(launch, ipc, outputs);
  const finish: StartedProgram["finish"] = async ({ isLast }) => {
    target.cancelKill();
    await relay?.drain({ isLast });
    if (!isLast) relay?.stop();
    await outputs?.finish({ isLast, wasKilled: typeof (await ended) === "string" });
    // Background processes of the program must not delay the exit. The listeners stay, so that a late signal does not change this
    // process's status.
    secrets?.remove();
  };
  return { ended, outputs, finish };
}

/** Blocks the signals that the kernel sends for writes to this process's own connections, in this thread. */
function blockOwnSignals(libc: Libc): void {
  // Output is written in the threads of libuv. If the reader of the output has ended, the SIGPIPE of such a thread must reach the
  // program. So these threads must exist before this thread blocks the signal: a thread inherits the block. The first call of
  // `access` starts them.
  access("/", () => {});
  libc.blockOwnWrites(1);
}

/** Tells the watch and the broker that the program runs, and how to write messages and to mask further secrets. */
function reportStart(
  { launch, state, messages }: StartParts,
  { outputs, secrets }: Setup,
  pid: number | undefined,
): void {
  const write = outputs?.write ?? messages?.write;
  if (write !== undefined) state.restarts?.handleStart(pid, write, outputs);
  const maskFurther = outputs && ((furtherSecrets: readonly Secret[]) => outputs.maskFurther(furtherSecrets));
  launch.broker?.started(write, maskFurther, secrets?.replace);
}

/** Closes the program's descriptors in this process. */
function releaseProgramDescriptors(
  { broker, inherited }: Launch,
  ipc: IpcChannel | undefined,
  outputs: Outputs | undefined,
) {
  // Node.js itself may use the doubtful descriptors.
  const keptDescriptors = new Set([...inherited.doubtful, ...(outputs?.keptDescriptors ?? []), ipc?.descriptor]);
  // The broker reports on the standard error at the end. If it were closed here, the reader of a pipe might end before that.
  if (broker !== undefined) keptDescriptors.add(2);
  releaseDescriptors([0, 1, 2, ...inherited.numbers].filter((descriptor) => !keptDescriptors.has(descriptor)));
}

/** Returns the program's descriptors: each inherited descriptor, or its replacement, at the same number; `ignore` in the gaps. */
function descriptorsOf(
  inherited: readonly number[],
  replacements: ReadonlyMap<number, number | "pipe"> | undefined,
  ipc: IpcChannel | undefined,
): Descriptors {
  const passed = new Set([0, 1, 2, ...inherited]);
  const length = Math.max(...passed, ipc?.descriptor ?? 0) + 1;
  return Array.from({ length }, (_, descriptor) => {
    if (descriptor === ipc?.descriptor) return "ipc";
    return replacements?.get(descriptor) ?? (passed.has(descriptor) ? descriptor : "ignore");
  });
}
