/** Exec mode with secret files: the cleaner, another process, removes them (see native/monitor/secret-files.inc). */
import { findMonitor, numbersOfProgram, type Monitor } from "../monitor/monitor-addon.ts";
import { type RemovableFiles, writeRemovableFiles } from "../secret-files.ts";
import { FIRST_PID_NAMESPACE } from "../spawn/leftovers.ts";
import { pidNamespace } from "../spawn/owned-folder.ts";
import type { Launch } from "../types.ts";
import { execUnavailable } from "./obstacles.ts";
import { replace } from "./replace-process.ts";

/**
 * Starts the cleaner and replaces this process by the program. Returns if there can be no cleaner and the mode is `auto`.
 *
 * @throws SophiaError if the program cannot be executed; 125 if there can be no cleaner and the mode is `exec`
 */
export async function replaceWithCleaner(launch: Launch): Promise<void> {
  const { options, preparation } = launch;
  // At the end of a container's PID 1, often just after the program, the kernel kills all processes in it.
  const isInContainer = preparation.firstProcess || pidNamespace() !== FIRST_PID_NAMESPACE;
  const monitor = isInContainer ? undefined : findMonitor(preparation);
  const files = monitor && startCleaner(launch, monitor);
  if (files !== undefined) {
    try {
      await replace({ ...launch, program: files.program });
    } finally {
      files.remove();
    }
  }
  if (options.mode === "exec") throw execUnavailable("files");
}

/** Holds all signals meanwhile: one that ends this process acts before there are files, or once there is a cleaner. */
function startCleaner(launch: Launch, { addon, file }: Monitor): RemovableFiles | undefined {
  addon.holdSignals();
  try {
    const files = writeRemovableFiles(launch, file);
    if (addon.startCleaner(files.strings, numbersOfProgram(launch), files.folder) === 0) return files;
    files.remove();
    return undefined;
  } finally {
    addon.releaseSignals();
  }
}
