import type { ChildProcess } from "node:child_process";
import { ExitStatus } from "../../core/error.ts";
import type { Environment } from "../../core/model.ts";
import { loadLibc } from "../exec/load-libc.ts";
import { loader } from "../exec/loaded.ts";
import { asShellScript } from "../executable.ts";
import { dyingWithLauncher, withCallersOpenFiles } from "../helper-programs.ts";
import { withholdMemory } from "../proc/core-dump.ts";
import { send } from "../signals.ts";
import type { Launch, Program, Running } from "../types.ts";
import { startChild, type Descriptors } from "./child.ts";
import { endDiagnostics } from "./diagnostics.ts";
import { dieOf } from "./end.ts";
import { forwardSignals } from "./forward.ts";
import { parentChannel, relayMessages, type IpcChannel } from "./ipc.ts";
import { withOwnPidVariables } from "./pid-variables.ts";
import { mayBeForeign } from "./native.ts";
import { release } from "./release.ts";

/**
 * Starts the program beside this process, which passes on what reaches it and ends as the program ends.
 *
 * @throws SophiaError when the program cannot be executed
 */
export async function spawn(launch: Launch): Promise<never> {
  const { command, files, inherited, options, preparation, program, redaction } = launch;
  const { addon, firstProcess } = preparation;
  const ipc = launch.passesChannel ? undefined : parentChannel();
  const libc = launch.libc ?? (await loadLibc(preparation));
  if (mayBeForeign(program.file)) {
    await (await import("../exec/emulation.ts")).refuseForeignProgram(command[0], program);
  }
  endDiagnostics(program.environment);
  const secretFiles = files.length === 0 ? undefined : await import("./secret-files.ts");

  const outputs =
    redaction === undefined
      ? undefined
      : (await import("../redact/outputs.ts")).openOutputs(launch, redaction, ipc === undefined);
  const session = outputs?.session;

  // From here until the program runs the event loop does not turn, nothing is loaded: a signal that comes before the
  // listeners is the kernel's to act upon, one that comes after them is delivered when the program is there.
  const secrets = secretFiles?.writeSecretFiles(files, program.environment.get("XDG_RUNTIME_DIR"));
  let running: number | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const stopForwarding = (session?.forward ?? forwardSignals)({
    pid: () => running,
    firstProcess,
    profiled: preparation.profiled,
    reapOrphans: libc && (() => running !== undefined && libc.reapAllBut(running)),
    onResize: outputs?.resize,
    onStopRequest: () => {
      if (options.killAfterMs === undefined) return;
      killTimer ??= setTimeout(() => running !== undefined && send(running, "SIGKILL"), options.killAfterMs);
    },
  });
  preparation.stopListening();
  preparation.restoreCoreFilter();
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
  // Reaped: from then on the PID may be another process's.
  const ended = begun.ended.finally(() => (running = undefined));
  withholdMemory();
  const relay = ipc === undefined || child === undefined ? undefined : relayMessages(child);
  outputs?.start(child);
  if (process.platform !== "win32") {
    const kept = new Set([...inherited.doubtful, ...(outputs?.kept ?? []), ipc?.descriptor]);
    release([0, 1, 2, ...inherited.numbers].filter((number) => !kept.has(number)));
  }

  if (!preparation.firstProcess) loader?.keepCode();

  const end = await ended;
  await relay?.drained();
  await outputs?.finish();
  // At once and without looking at streams: what the program left running in the background delays nobody. The forwarding
  // listeners are still there, so that a late signal does not change the status.
  secrets?.remove();
  if (typeof end !== "number") return dieOf(end, { firstProcess, dumpable: libc === undefined }, program.environment);
  if (addon === undefined) return process.exit(end);
  process.emit("exit", end);
  return addon.exitAtOnce(end);
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
