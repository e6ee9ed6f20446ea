/**
 * Exec mode with secret files. This process starts the cleaner, a small C program, and is then replaced by the program. When the
 * program ends, the cleaner removes the files (native/monitor/secret-files.inc).
 */
import { findMonitor, numbersOfProgram, type Monitor } from "../monitor/monitor-addon.ts";
import { type RemovableFiles, writeRemovableFiles } from "../secret-files.ts";
import { FIRST_PID_NAMESPACE } from "../spawn/leftovers.ts";
import { pidNamespace } from "../spawn/owned-folder.ts";
import type { Launch } from "../types.ts";
import { execUnavailable } from "./obstacles.ts";
import { replaceProcess } from "./replace-process.ts";

/**
 * Starts the cleaner and replaces this process by the program. Returns if no cleaner can be started and the mode is `auto`.
 *
 * @throws SophiaError if the program cannot be executed; 125 if no cleaner can be started and the mode is `exec`
 */
export async function replaceWithCleaner(launch: Launch): Promise<void> {
  const { options, preparation } = launch;
  // When PID 1 of a container ends, the kernel kills all processes in the container. Often this is just after the program's end, so
  // that the cleaner would have no time.
  const isInContainer = preparation.isFirstProcess || pidNamespace() !== FIRST_PID_NAMESPACE;
  const monitor = isInContainer ? undefined : findMonitor(preparation);
  const files = monitor && startCleaner(launch, monitor);
  if (files !== undefined) {
    try {
      await replaceProcess({ ...launch, program: files.program });
    } finally {
      files.remove();
    }
  }
  if (options.mode === "exec") throw execUnavailable("files");
}

/**
 * Writes the secret files, and starts the cleaner. Signals wait meanwhile, so that none ends this process while it has files but no
 * cleaner.
 *
 * @returns undefined if the cleaner cannot be started; the files are removed then
 */
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
