import type { Environment } from "../../core/model.ts";
import { errorName } from "../../system/errors.ts";
import { loader } from "../../system/addon/addon.ts";
import { EXEC_PID, PID_PLACEHOLDER, PID_VARIABLES } from "../../../native/shared.ts";
import { runAsScript } from "../exec/replace-process.ts";
import { deliverSignals } from "../event-listeners.ts";
import { bytesOf } from "../program/program-strings.ts";
import { callerOpenFilesLimit, openFilesNumber } from "../open-files.ts";
import type { Launch, Program } from "../types.ts";
import { bytesOfNumbers, findMonitor, numbersOfProgram } from "./monitor-addon.ts";
import type { RemovableFiles } from "../secret-files.ts";

/**
 * Starts the program as a child, and replaces this process by the monitor: a small C program that forwards signals and ends as the
 * program ends (native/monitor/monitor.c).
 *
 * Returns only if this process has no addon or no file of the monitor. Nothing has happened then, and the caller starts the program
 * in another way.
 *
 * @throws SophiaError (126, 127) if the program cannot be executed; (125) if a limit of the system keeps it from starting, or if the
 *   secret files cannot be written
 */
export async function replaceWithMonitor(launch: Launch): Promise<void> {
  const { files, options, preparation } = launch;
  const monitor = findMonitor(preparation);
  if (monitor === undefined) return;
  const { addon, libc } = monitor;
  const openFilesLimit = openFilesNumber(options.restoreNofile ? callerOpenFilesLimit() : undefined);
  const programDescriptors = numbersOfProgram(launch);
  // Only a start with secret files loads the code that writes them.
  const writeSecretFiles = files.length === 0 ? undefined : (await import("../secret-files.ts")).writeRemovableFiles;
  // The program ignores the signals that the caller ignored. Only the executable for Linux knows them: Node.js resets them.
  const ignoredByCaller = loader?.caller?.ignored ?? [];
  const ignoredMask = ignoredByCaller.reduce((mask, signal) => mask | (1n << BigInt(signal - 1)), 0n);
  // The addon returns only if it has started nothing.
  const startProgram = (
    program: Program,
    { strings: monitorStrings, folder: folderDescriptor }: RemovableFiles,
  ): string => {
    const diesWithLauncher = options.dieWithLauncher ? 1 : 0;
    // In the order of `struct request` in native/monitor/monitor-addon.c. -1 means: never SIGKILL, and no folder.
    const request = bytesOfNumbers(
      BigInt64Array.from([
        BigInt(program.argv.length),
        BigInt(options.killAfterMs ?? -1),
        BigInt(openFilesLimit),
        BigInt(diesWithLauncher),
        BigInt(folderDescriptor),
        ignoredMask,
      ]),
    );
    return errorName(addon.start(bytesOf(program), request, programDescriptors, monitorStrings));
  };
  if (preparation.isFirstProcess) {
    // The listeners of PID 1 end it on a fatal signal, and must get each one that came before the hold. A later signal stays pending,
    // and reaches the program through the monitor. So the hold comes first.
    addon.holdSignals();
    await deliverSignals();
  } else {
    // Not as PID 1: the cache of a container seldom survives.
    loader?.cacheCode();
  }
  // Before makeUndumpable: a process that is not dumpable cannot write its filter.
  preparation.restoreCoreFilter();
  // Preloaded code may have opened streams of Node.js, which make a shared pipe or terminal non-blocking.
  if (preparation.preloaded) for (const stream of [0, 1, 2]) libc.makeBlocking(stream);
  // From here on no other process of the user reads the secrets in this process's memory. The child inherits that until execve(2)
  // makes it dumpable again.
  libc.makeUndumpable();
  // A signal that ended this process now would leave the secret files behind.
  addon.holdSignals();
  let removeFiles = (): void => {};
  try {
    const secretFiles = writeSecretFiles?.(launch, monitor.file) ?? describeNoFiles(launch, monitor.file);
    removeFiles = secretFiles.remove;
    const program = withPidPlaceholders(secretFiles.program);
    // It always throws. `await` keeps the files until the shell has tried a script, too.
    return await runAsScript(startProgram(program, secretFiles), program, launch, (script) =>
      startProgram(script, secretFiles),
    );
  } finally {
    // The program was not started. The files go first: a pending signal may end this process as soon as it is released.
    removeFiles();
    addon.releaseSignals();
  }
}

/** Returns what stands for no secret files: the monitor's path alone, and no folder. */
function describeNoFiles({ program }: Launch, monitorFile: string): RemovableFiles {
  return { program, strings: Buffer.from(`${monitorFile}\0`), folder: -1, remove: () => {} };
}

/**
 * Returns the names of systemd's variables with the PID of this process: LISTEN_PID (sockets) and WATCHDOG_PID. If there is one,
 * SYSTEMD_EXEC_PID belongs to them.
 */
export function launcherPidVariables(environment: Environment): readonly string[] {
  const matching = PID_VARIABLES.filter((name) => environment.get(name) === String(process.pid));
  return matching.length === 0 ? [] : [...matching, EXEC_PID].filter((name) => environment.has(name));
}

/**
 * Replaces this process's PID in systemd's variables by a placeholder, since the program has no PID yet. The child overwrites the
 * placeholder with its own PID before execve(2) (native/monitor/monitor-addon.c).
 */
function withPidPlaceholders(program: Program): Program {
  const names = launcherPidVariables(program.environment);
  if (names.length === 0) return program;
  const environment = new Map(program.environment);
  // The variable holds the inode of this process's pidfd. That of the program's pidfd is not known before the program exists.
  environment.delete("LISTEN_PIDFDID");
  for (const name of names) environment.set(name, PID_PLACEHOLDER);
  return { ...program, environment };
}
