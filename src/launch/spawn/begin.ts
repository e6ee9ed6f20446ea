import type { ChildProcess } from "node:child_process";
import { ExitStatus } from "../../core/error.ts";
import type { Environment } from "../../core/model.ts";
import type { Libc } from "../../system/addon/libc.ts";
import { asShellScript } from "../executable.ts";
import { dyingWithLauncher, withCallersOpenFiles } from "../helper-programs.ts";
import { withholdMemory } from "../proc/core-dump.ts";
import type { Outputs } from "../redact/outputs.ts";
import type { System } from "../redact/system.ts";
import { send } from "../signals.ts";
import type { Undo } from "../listen.ts";
import type { Launch, Program, Running } from "../types.ts";
import type { Restarts } from "../watch/restarts.ts";
import { startChild, type Descriptors } from "./child.ts";
import { forwardSignals } from "./forward.ts";
import { relayMessages, type IpcChannel } from "./ipc.ts";
import { mayBeForeign } from "./native.ts";
import { withOwnPidVariables } from "./pid-variables.ts";
import { release } from "./release.ts";

/** What is the same for each program that one launcher starts, one after the other. */
export interface Place {
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

/**
 * Starts the program.
 *
 * @returns undefined where somebody has asked for the end of what it is to take the place of
 * @throws SophiaError when it cannot be executed
 */
export async function begin(launch: Launch, place: Place): Promise<Begun | undefined> {
  const { command, files, inherited, options, preparation, program, redaction } = launch;
  const { ipc, libc, restarts } = place;
  if (mayBeForeign(program.file)) {
    await (await import("../exec/emulation.ts")).refuseForeignProgram(command[0], program);
  }
  const secretFiles = files.length === 0 ? undefined : await import("./secret-files.ts");
  const redact = redaction === undefined ? undefined : await import("../redact/outputs.ts");
  if (redact !== undefined) place.redactSystem ??= await redact.openSystem();
  const speakers = restarts === undefined ? undefined : await import("../redact/speaker.ts");
  // From here until the program runs the event loop does not turn, nothing is loaded: a signal that comes before the
  // listeners is the kernel's to act upon, one that comes after them is delivered when the program is there.
  if (restarts?.isWanted() === false) return undefined;
  const outputs =
    redact === undefined || redaction === undefined
      ? undefined
      : redact.openOutputs(launch, redaction, place.redactSystem, {
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
    onSignal: restarts?.heard,
    onStopRequest: () => {
      if (options.killAfterMs === undefined) return;
      killTimer ??= setTimeout(() => running !== undefined && send(running, "SIGKILL"), options.killAfterMs);
    },
  });
  place.passOnTo?.(0);
  place.stopForwarding();
  place.stopForwarding = stopForwarding;
  preparation.stopListening();
  place.restoreCoreFilter();
  // Before the program can look: its own execution makes it dumpable again.
  libc?.makeUndumpable();
  let child: ChildProcess | undefined;
  let begun: Running;
  try {
    const dressed = dress(launch, secrets?.paths);
    if (session === undefined) {
      const stdio = descriptors(inherited.numbers, outputs?.given, ipc);
      child = await start(dressed, launch, (one) => startChild(one, stdio, ipc));
      begun = runningChild(child);
    } else {
      begun = await start(dressed, launch, session.execute);
    }
  } catch (error) {
    stopForwarding();
    throw error;
  }
  running = begun.pid;
  place.passOnTo?.(begun.pid ?? -1);
  // Reaped: from then on the PID may be another process's.
  const ended = begun.ended.finally(() => (running = undefined));
  // What is not dumped at all needs no filter, and could not put it back for the next program.
  if (restarts === undefined || libc === undefined) place.restoreCoreFilter = withholdMemory(launch.preparation.addon);
  const relay =
    ipc === undefined || child === undefined ? undefined : relayMessages(child, () => restarts?.isUnderWay() === true);
  outputs?.start(child);
  const write = outputs?.write ?? speakers?.makeSpeaker(2, "\n").write;
  if (write !== undefined) restarts?.begun(running, write);
  // A program that takes the place of this one gets them, too.
  if (process.platform !== "win32" && restarts === undefined) {
    const kept = new Set([...inherited.doubtful, ...(outputs?.kept ?? []), ipc?.descriptor]);
    release([0, 1, 2, ...inherited.numbers].filter((number) => !kept.has(number)));
  }
  return {
    ended,
    outputs,
    settle: async (isLast) => {
      place.passOnTo?.(-1);
      clearTimeout(killTimer);
      await relay?.drained();
      if (!isLast) relay?.end();
      await outputs?.finish(isLast, typeof (await ended) === "string");
      // At once and without looking at streams: what the program left running in the background delays nobody. The
      // forwarding listeners are still there, so that a late signal does not change the status.
      secrets?.remove();
    },
  };
}

/** The program with its secret files' paths and whatever the options put in front of it. */
function dress({ program, options }: Launch, paths: Environment | undefined): Program {
  const environment = paths === undefined ? program.environment : new Map([...program.environment, ...paths]);
  let dressed = withOwnPidVariables({ ...program, environment });
  if (options.dieWithLauncher) dressed = dyingWithLauncher(dressed);
  return options.restoreNofile ? withCallersOpenFiles(dressed) : dressed;
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

/** @throws SophiaError when the program cannot be executed */
async function start<Started extends object>(
  program: Program,
  { command }: Launch,
  attempt: (program: Program) => Promise<Started | string>,
): Promise<Started> {
  let started = await attempt(program);
  // glibc's execvp(3), which libuv calls, starts the shell itself; musl's does not.
  if (started === "ENOEXEC") started = await attempt(asShellScript(program));
  if (typeof started !== "string") return started;
  throw (await import("../start-error.ts")).executionError(command[0], program, started);
}

function runningChild(child: ChildProcess): Running {
  return {
    pid: child.pid,
    ended: new Promise((resolve) => {
      child.once("exit", (status, signal) => resolve(signal ?? status ?? ExitStatus.failed));
    }),
  };
}
