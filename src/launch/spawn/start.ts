import type { ChildProcess } from "node:child_process";
import { access } from "node:fs";
import { ExitStatus } from "../../core/error.ts";
import type { Libc } from "../../system/addon/libc.ts";
import { isBun } from "../../system/runtime.ts";
import { asShellScript } from "../program/executable.ts";
import { refuseForeignProgram } from "../program/emulation.ts";
import { inspectImage } from "../program/image.ts";
import type { Undo } from "../listen.ts";
import { setCallersOpenFiles } from "../open-files.ts";
import { excludeFromCoreDumps } from "../proc/core-dump.ts";
import type { Outputs } from "../redact/outputs.ts";
import type { System } from "../redact/system.ts";
import { send } from "../signals.ts";
import type { Launch, Program, Running } from "../types.ts";
import type { Restarts } from "../watch/restarts.ts";
import { loadStartChild, type Descriptors } from "./child.ts";
import { release } from "./end.ts";
import { forwardSignals } from "./forward.ts";
import { relayMessages, type IpcChannel } from "./ipc.ts";
import { withOwnPid, withParentDeathSignal } from "./wrappers.ts";

/** State of this process that survives a restart of the program. */
export interface LauncherState {
  readonly ipc: IpcChannel | undefined;
  readonly libc: Libc | undefined;
  readonly restarts: Restarts | undefined;
  stopForwarding: Undo;
  restoreCoreFilter: Undo;
  redactSystem?: System | undefined;
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

async function loadParts(launch: Launch, state: LauncherState) {
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
 * Starts the program in one turn of the event loop, without an `await`. A signal before the listeners acts by the kernel's
 * default action; a later one is delivered once the program exists.
 */
function startNow(parts: Parts): StartedProgram | FailedStart | undefined {
  const { launch, state, secretFiles, redact, messages, startChild } = parts;
  const { broker, files, inherited, options, preparation, program } = launch;
  const { ipc, libc, restarts } = state;
  if (restarts?.isWanted() === false) return undefined;
  const outputs = redact?.openOutputs(launch, redact.redaction, state.redactSystem, {
    mayHaveSession: ipc === undefined,
    isRenewed: restarts !== undefined,
  });
  const session = outputs?.session;
  const secrets = secretFiles?.writeSecretFiles(files, program.environment.get("XDG_RUNTIME_DIR"));
  // Connections to services and clients may end at any time, and the kernel sends SIGPIPE for the next write.
  const connects = (broker !== undefined || restarts !== undefined) && !isBun && process.platform !== "win32";
  let running: number | undefined;
  const reapOrphans = (): void => void (running !== undefined && libc?.reapAllBut(running));
  let killTimer: NodeJS.Timeout | undefined;
  const stopForwarding = (session?.forward ?? forwardSignals)({
    pid: () => running,
    firstProcess: preparation.firstProcess,
    profiled: preparation.profiled,
    writesAlone: connects && libc === undefined,
    reapOrphans,
    terminal: outputs?.terminal,
    onSignal: restarts?.onSignal,
    onStopRequest: () => {
      if (options.killAfterMs === undefined) return;
      killTimer ??= setTimeout(() => running !== undefined && send(running, "SIGKILL"), options.killAfterMs);
    },
  });
  state.stopForwarding();
  state.stopForwarding = stopForwarding;
  preparation.stopListening();
  state.restoreCoreFilter();
  // Before the program can read this process's memory. Its execution makes the program dumpable again.
  libc?.makeUndumpable();
  // The program would inherit the former program's block.
  if (connects) libc?.blockOwnWrites(0);
  let child: ChildProcess | undefined;
  const tryStart = (one: Program): Running | string | Promise<string> => {
    if (session !== undefined) return session.execute(one);
    const result = startChild(one, descriptors(inherited.numbers, outputs?.given, ipc), ipc);
    if (typeof result === "string" || "then" in result) return result;
    child = result;
    return runningChild(result);
  };
  let restoreOpenFiles: Undo = () => {};
  let started: ReturnType<typeof tryStart>;
  try {
    if (options.restoreNofile) restoreOpenFiles = setCallersOpenFiles();
    const environment =
      secrets === undefined ? program.environment : new Map([...program.environment, ...secrets.paths]);
    let whole = withOwnPid({ ...program, environment });
    if (options.dieWithLauncher) whole = withParentDeathSignal(whole);
    started = tryStart(whole);
    // libuv calls execvp(3): glibc's starts the shell itself, musl's does not.
    if (started === "ENOEXEC" && inspectImage(whole.file).kind === "unknown") started = tryStart(asShellScript(whole));
  } catch (error) {
    stopForwarding();
    throw error;
  } finally {
    restoreOpenFiles();
  }
  if (typeof started === "string" || "then" in started) {
    stopForwarding();
    return { code: started };
  }
  running = started.pid;
  // Orphans may have ended while no program ran.
  if (preparation.firstProcess) reapOrphans();
  if (connects && libc !== undefined) {
    // Outputs are written in other threads, which must exist by now: their SIGPIPE is the program's.
    access("/", () => {});
    libc.blockOwnWrites(1);
  }
  // The PID may be reused once the program is reaped.
  const ended = started.ended.finally(() => (running = undefined));
  // An undumpable process needs no filter, and could not restore it for the next program.
  if (restarts === undefined || libc === undefined) state.restoreCoreFilter = excludeFromCoreDumps(preparation.addon);
  const relay =
    ipc === undefined || child === undefined
      ? undefined
      : relayMessages(child, ipc, libc, () => restarts?.isUnderWay() === true);
  outputs?.start(child);
  const write = outputs?.write ?? messages?.write;
  if (write !== undefined) restarts?.started(running, write, outputs);
  broker?.started(write);
  // With --watch the next program gets them, too.
  if (process.platform !== "win32" && restarts === undefined) {
    const kept = new Set([...inherited.doubtful, ...(outputs?.kept ?? []), ipc?.descriptor]);
    // The broker reports there at the end. A reader of a pipe would otherwise have gone by then.
    if (broker !== undefined) kept.add(2);
    release([0, 1, 2, ...inherited.numbers].filter((number) => !kept.has(number)));
  }
  const finish: StartedProgram["finish"] = async (isLast) => {
    clearTimeout(killTimer);
    await relay?.drained(isLast);
    if (!isLast) relay?.end();
    await outputs?.finish(isLast, typeof (await ended) === "string");
    // Background processes must not delay the exit. The listeners stay, so that a late signal does not change the status.
    secrets?.remove();
  };
  return { ended, outputs, finish };
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

function runningChild(child: ChildProcess): Running {
  return {
    pid: child.pid,
    ended: new Promise((resolve) => {
      child.once("exit", (status, signal) => resolve(signal ?? status ?? ExitStatus.failed));
    }),
  };
}
