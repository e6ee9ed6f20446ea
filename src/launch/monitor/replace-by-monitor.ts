import type { Environment } from "../../core/model.ts";
import { errorName } from "../../system/errors.ts";
import { loader } from "../../system/addon/addon.ts";
import { EXEC_PID, PID_PLACEHOLDER, PID_VARIABLES } from "../../../native/shared.ts";
import { runAsScript } from "../exec/replace-process.ts";
import { deliverSignals } from "../event-listeners.ts";
import { bytesOf } from "../program/program-strings.ts";
import { callerOpenFilesLimit, openFilesNumber } from "../open-files.ts";
import type { Launch, Program } from "../types.ts";
import { bytesOfNumbers, findMonitor, type Monitor, numbersOfProgram } from "./monitor-addon.ts";
import type { RemovableFiles } from "../secret-files.ts";

/**
 * Spawn mode with the monitor: starts the program as a child of this process, and executes the monitor in this process, which so becomes
 * the program's parent. The monitor (native/monitor/monitor.c) is a small C program that forwards signals, and exits with the program's
 * status or dies of its signal.
 *
 * Returns only if the addon or the monitor's file is missing. This process is unchanged then, and the caller starts the program in
 * another way.
 *
 * @throws SophiaError (126, 127) if the program cannot be executed; (125) if a limit of the system prevents its start, or if the secret
 *   files cannot be written
 */
export async function replaceWithMonitor(launch: Launch): Promise<void> {
  const { files, options, preparation } = launch;
  const monitor = findMonitor(preparation);
  if (monitor === undefined) return;
  const openFilesLimit = openFilesNumber(options.restoreNofile ? callerOpenFilesLimit() : undefined);
  // Most starts have no secret files, and do not load the code that writes them.
  const writeSecretFiles = files.length === 0 ? undefined : (await import("../secret-files.ts")).writeRemovableFiles;
  await prepareProcess(launch, monitor);
  // A signal that ended this process after the next steps would leave the secret files behind.
  monitor.addon.holdSignals();
  let removeFiles = (): void => {};
  try {
    const secretFiles = writeSecretFiles?.(launch, monitor.file) ?? withoutSecretFiles(launch, monitor.file);
    removeFiles = secretFiles.remove;
    const program = withPidPlaceholders(secretFiles.program);
    const start = (startedProgram: Program): string =>
      startWithMonitor(startedProgram, { launch, monitor, secretFiles, openFilesLimit });
    const errorCode = start(program);
    // The program was not started: this throws, unless the shell can run it as a script. `await` keeps the files until then.
    return await runAsScript(errorCode, program, launch, start);
  } finally {
    // The files are removed first: a pending signal may end this process as soon as it is released.
    removeFiles();
    monitor.addon.releaseSignals();
  }
}

/** Makes this process ready to be replaced by the monitor. The order of the steps matters, as their comments say. */
async function prepareProcess({ preparation }: Launch, { addon, libc }: Monitor): Promise<void> {
  if (preparation.isFirstProcess) {
    // A signal that came before this hold goes to the listeners of PID 1, which end this process if it is fatal. A later signal stays
    // pending, and reaches the program through the monitor.
    addon.holdSignals();
    await deliverSignals();
  } else {
    // PID 1 writes no cache, because the cache of a container seldom survives it.
    loader?.cacheCode();
  }
  // This precedes makeUndumpable: a process that is not dumpable cannot write its filter for core dumps (/proc/self/coredump_filter).
  preparation.restoreCoreFilter();
  if (preparation.preloaded) {
    // Code that an option of Node.js has loaded may have opened process.stdout. Node.js makes a pipe or terminal non-blocking then, which
    // the program would share.
    for (const descriptor of [0, 1, 2]) libc.makeBlocking(descriptor);
  }
  // From here on no other process of the user can read the secrets in this process's memory. The child stays undumpable until its
  // execve(2).
  libc.makeUndumpable();
}

interface MonitoredStart {
  readonly launch: Launch;
  readonly monitor: Monitor;
  readonly secretFiles: RemovableFiles;
  /** As `openFilesNumber` returns it. */
  readonly openFilesLimit: number;
}

/** Starts the program and the monitor. Does not return if that succeeds. @returns the code of the system's error, such as ENOENT */
function startWithMonitor(program: Program, { launch, monitor, secretFiles, openFilesLimit }: MonitoredStart): string {
  const { options } = launch;
  // `struct request` of native/monitor/monitor-addon.c, in its order.
  const request = bytesOfNumbers(
    BigInt64Array.from([
      /* argument_count */ BigInt(program.argv.length),
      /* kill_after: -1 means never */ BigInt(options.killAfterMs ?? -1),
      /* open_files */ BigInt(openFilesLimit),
      /* dies_with_launcher */ BigInt(options.dieWithLauncher),
      /* folder */ BigInt(secretFiles.folder),
      /* ignored */ ignoredSignals(),
    ]),
  );
  const errno = monitor.addon.start(bytesOf(program), request, numbersOfProgram(launch), secretFiles.strings);
  return errorName(errno);
}

/**
 * Returns the signals that the caller ignored, which the program must ignore, too: bit 0 is signal 1. Node.js sets ignored signals to their
 * default actions before it runs any code, so only the executable for Linux knows them.
 */
function ignoredSignals(): bigint {
  const signals = loader?.caller?.ignored ?? [];
  return signals.reduce((mask, signal) => mask | (1n << BigInt(signal - 1)), 0n);
}

/** Returns what `writeRemovableFiles` returns, for a start without secret files: the monitor's path alone, and no folder. */
function withoutSecretFiles({ program }: Launch, monitorFile: string): RemovableFiles {
  return { program, strings: Buffer.from(`${monitorFile}\0`), folder: -1, remove: () => {} };
}

/**
 * Returns the names of systemd's variables that have the PID of this process: LISTEN_PID (sockets) and WATCHDOG_PID. If one of them has it,
 * SYSTEMD_EXEC_PID is returned as well. spawn/wrappers.ts asks for them, too.
 */
export function launcherPidVariables(environment: Environment): readonly string[] {
  const matching = PID_VARIABLES.filter((name) => environment.get(name) === String(process.pid));
  return matching.length === 0 ? [] : [...matching, EXEC_PID].filter((name) => environment.has(name));
}

/**
 * Replaces this process's PID in systemd's variables with a placeholder, since the program has no PID yet. The child overwrites the
 * placeholder with its own PID before execve(2) (native/monitor/monitor-addon.c).
 */
function withPidPlaceholders(program: Program): Program {
  const names = launcherPidVariables(program.environment);
  if (names.length === 0) return program;
  const environment = new Map(program.environment);
  // This variable is removed: it holds the inode of this process's pidfd, and the program has no pidfd before it exists.
  environment.delete("LISTEN_PIDFDID");
  for (const name of names) environment.set(name, PID_PLACEHOLDER);
  return { ...program, environment };
}
