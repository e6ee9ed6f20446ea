/**
 * Exec mode with secret files. This process starts the cleaner, a small C program, and becomes the program. When the program ends,
 * the cleaner removes the files (native/monitor/secret-files.inc).
 */
import { findMonitor, numbersOfProgram, type Monitor } from "../monitor/monitor-addon.ts";
import { type RemovableFiles, writeRemovableFiles } from "../secret-files.ts";
import { FIRST_PID_NAMESPACE } from "../spawn/leftovers.ts";
import { pidNamespace } from "../spawn/owned-folder.ts";
import type { Launch } from "../types.ts";
import { execUnavailable } from "./obstacles.ts";
import { replace } from "./replace-process.ts";

/**
 * Starts the cleaner and replaces this process by the program. Returns if no cleaner can be started and the mode is `auto`.
 *
 * @throws SophiaError if the program cannot be executed; 125 if no cleaner can be started and the mode is `exec`
 */
export async function replaceWithCleaner(launch: Launch): Promise<void> {
  const { options, preparation } = launch;
  // When PID 1 of a container ends, which often happens just after the program, the kernel kills all processes in the container.
  // The cleaner would have no time.
  const isInContainer = preparation.isFirstProcess || pidNamespace() !== FIRST_PID_NAMESPACE;
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

/** Starts the cleaner. Signals wait meanwhile, so that none ends this process while it has files but no cleaner. */
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
