/** Secret files that another process removes: the cleaner in exec mode, the monitor in spawn mode (see native/monitor/secret-files.h). */
import { execUnavailable } from "../exec/obstacles.ts";
import { replace } from "../exec/replace-process.ts";
import { FIRST_PID_NAMESPACE } from "../spawn/leftovers.ts";
import { pidNamespace } from "../spawn/owned-folder.ts";
import { writeSecretFiles } from "../secret-files.ts";
import type { Launch, Program } from "../types.ts";
import { findMonitor, numbersOfProgram, type Monitor } from "./monitor-addon.ts";

export interface RemovableFiles {
  /** The program, with the paths of the files in its environment. */
  readonly program: Program;
  /** The monitor's path, `FOLDER=PATH` and `INODE=NAME` for each file, each ended by a NUL. */
  readonly strings: Uint8Array;
  /** The descriptor of the open folder, which has its lock; -1: there are no files. */
  readonly folder: number;
  /** Removes the files here, if no other process does. */
  readonly remove: () => void;
}

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

/** Writes the secret files. The caller must hold all signals until another process has them. @throws SophiaError (125) */
export function writeRemovableFiles({ files, program }: Launch, monitor: string): RemovableFiles {
  const runtimeDirectory = program.environment.get("XDG_RUNTIME_DIR");
  const { folder, descriptor, inodes, paths, remove } = writeSecretFiles(files, runtimeDirectory, (undo) => undo);
  if (descriptor === undefined) throw new TypeError("the folder of secret files is not open");
  const entries = Array.from(inodes, ([name, inode]) => `${inode}=${name}`);
  return {
    program: { ...program, environment: new Map([...program.environment, ...paths]) },
    strings: Buffer.from(`${[monitor, `FOLDER=${folder}`, ...entries].join("\0")}\0`),
    folder: descriptor,
    remove,
  };
}
