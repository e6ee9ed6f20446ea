import { closeSync, constants, openSync } from "node:fs";
import { writeSecretFiles } from "../spawn/secret-files.ts";
import type { Launch, Program } from "../types.ts";

/** What a process of monitor.c gets in order to remove secret files; see secret-files.h. */
export interface Entrusted {
  /** The program, with the paths of the files in its environment. */
  readonly program: Program;
  /** The monitor's path, `FOLDER=` and the folder's, then `INODE=NAME` for each file, each ended by a NUL. */
  readonly strings: Uint8Array;
  /** The descriptor of the open folder; -1: there are no files. */
  readonly folder: number;
  /** Removes the files here, since no other process will. */
  readonly remove: () => void;
}

/**
 * Writes the secret files of a launch. The caller holds all signals until another process has the files.
 *
 * @throws SophiaError (125) when they cannot be written
 */
export function entrust({ files, program }: Launch, monitor: string): Entrusted {
  const { folder, inodes, paths, remove } = writeSecretFiles(
    files,
    program.environment.get("XDG_RUNTIME_DIR"),
    (undo) => undo,
  );
  const descriptor = openFolder(folder, remove);
  const entries = Array.from(inodes, ([name, inode]) => `${inode}=${name}`);
  return {
    program: { ...program, environment: new Map([...program.environment, ...paths]) },
    strings: Buffer.from(`${[monitor, `FOLDER=${folder}`, ...entries].join("\0")}\0`),
    folder: descriptor,
    remove: () => {
      closeSync(descriptor);
      remove();
    },
  };
}

/** Opens the folder of the files, or removes them, as when this process may open nothing more. */
function openFolder(path: string, remove: () => void): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    remove();
    throw error;
  }
}
