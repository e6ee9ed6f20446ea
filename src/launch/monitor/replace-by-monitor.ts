import type { Environment } from "../../core/model.ts";
import { errorName } from "../../system/errors.ts";
import { loader } from "../../system/addon/addon.ts";
import { EXEC_PID, PID_PLACEHOLDER, PID_VARIABLES } from "../../../native/shared.ts";
import { runAsScript } from "../exec/replace-process.ts";
import { deliverSignals } from "../event-listeners.ts";
import { bytesOf } from "../program/program-strings.ts";
import { callersOpenFiles, openFilesNumber } from "../open-files.ts";
import type { Launch, Program } from "../types.ts";
import { bytesOfNumbers, findMonitor, numbersOfProgram } from "./monitor-addon.ts";
import type { RemovableFiles } from "../secret-files.ts";

/**
 * Starts the program and replaces this process by the monitor (see native/monitor/monitor.c). Returns only if there can be no monitor.
 *
 * @throws SophiaError if the program cannot be executed
 */
export async function replaceWithMonitor(launch: Launch): Promise<void> {
  const { files, options, preparation } = launch;
  const monitor = findMonitor(preparation);
  if (monitor === undefined) return;
  const { addon, libc } = monitor;
  const openFiles = openFilesNumber(options.restoreNofile ? callersOpenFiles() : undefined);
  const descriptors = numbersOfProgram(launch);
  const writeFiles = files.length === 0 ? undefined : (await import("../secret-files.ts")).writeRemovableFiles;
  // Node.js has reset them all at its start.
  const signals = loader?.caller?.ignored ?? [];
  const ignored = signals.reduce((set, signal) => set | (1n << BigInt(signal - 1)), 0n);
  const start = (program: Program, { strings, folder }: RemovableFiles): string => {
    const dies = options.dieWithLauncher ? 1 : 0;
    const numbers = [program.argv.length, options.killAfterMs ?? -1, openFiles, dies, folder].map(BigInt);
    const request = bytesOfNumbers(BigInt64Array.from([...numbers, ignored]));
    return errorName(addon.start(bytesOf(program), request, descriptors, strings));
  };
  if (preparation.firstProcess) {
    // The listeners get the earlier signals, the program gets the later ones.
    addon.holdSignals();
    await deliverSignals();
  } else {
    loader?.cacheCode();
  }
  preparation.restoreCoreFilter();
  if (preparation.preloaded) for (const stream of [0, 1, 2]) libc.makeBlocking(stream);
  // Its execution makes the program dumpable again.
  libc.makeUndumpable();
  addon.holdSignals();
  let removable: RemovableFiles | undefined;
  try {
    const written = (removable = writeFiles?.(launch, monitor.file) ?? withoutFiles(launch, monitor.file));
    const program = withPidPlaceholders(written.program);
    return await runAsScript(start(program, written), program, launch, (script) => start(script, written));
  } finally {
    removable?.remove();
    addon.releaseSignals();
  }
}

function withoutFiles({ program }: Launch, monitor: string): RemovableFiles {
  return { program, strings: Buffer.from(`${monitor}\0`), folder: -1, remove: () => {} };
}

/** Returns the variables in which systemd names this process. */
export function launcherPidVariables(environment: Environment): readonly string[] {
  const named = PID_VARIABLES.filter((name) => environment.get(name) === String(process.pid));
  return named.length === 0 ? [] : [...named, EXEC_PID].filter((name) => environment.has(name));
}

/** Replaces this PID in systemd's variables for socket activation and watchdog: the program's process fills in its own. */
function withPidPlaceholders(program: Program): Program {
  const names = launcherPidVariables(program.environment);
  if (names.length === 0) return program;
  const environment = new Map(program.environment);
  // The inode of this process's pidfd; the program's is unknown.
  environment.delete("LISTEN_PIDFDID");
  for (const name of names) environment.set(name, PID_PLACEHOLDER);
  return { ...program, environment };
}
