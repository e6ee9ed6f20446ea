/**
 * Writes secrets into files for a program that reads them from files, and removes the files when the program has ended. The
 * contract says which variables get the path of such a file. owned-folder.ts makes the folder, and leftovers.ts removes the folders
 * of runs that were killed.
 */
import { closeSync, constants, fstatSync, openSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, isAbsolute, join } from "node:path";
import { onExit, signals } from "signal-exit";
import { SophiaError } from "../core/error.ts";
import { printable } from "../core/text.ts";
import { systemErrorCode } from "../system/errors.ts";
import { GROUP_OR_WORLD_WRITABLE } from "../system/ownership.ts";
import { isSameFolder } from "../system/paths.ts";
import { PRIVATE_UMASK, withUmask } from "../system/umask.ts";
import { loadMonitorAddon } from "./monitor/monitor-addon.ts";
import type { Launch, Program, SecretFile } from "./types.ts";
import { listenToSignals, type RemoveListeners } from "./event-listeners.ts";
import { catchableSignals } from "./signals.ts";
import { isInMemory, removeLeftovers } from "./spawn/leftovers.ts";
import {
  listEntries,
  ignoreErrors,
  makeOwnedFolder,
  type OwnedFolder,
  removeOwnedFolder,
} from "./spawn/owned-folder.ts";

const SPACE_HINT = "free space there; without /dev/shm, set XDG_RUNTIME_DIR or TMPDIR to another folder";

/** The secret files of one run. */
export interface SecretFiles {
  /** The path of each file, by the name of its variable. */
  readonly paths: ReadonlyMap<string, string>;
  readonly folder: string;
  /** The descriptor of the open folder, which has its lock (owned-folder.ts); undefined on Windows. Closed by `remove`. */
  readonly descriptor: number | undefined;
  /** The inode of each file, by the name of the file. */
  readonly inodes: ReadonlyMap<string, bigint>;
  /**
   * Gives the file of a variable another content. The content is written to a second file that is then renamed, so that a reader
   * gets either all of the former content or all of the new one. Has no effect once the files are removed.
   *
   * @throws SophiaError (secret-files, 125)
   */
  readonly replace: (name: string, content: string) => void;
  readonly remove: () => void;
}

/** Calls a function at the end of this process. @returns calls it now instead */
type AtExit = (remove: () => void) => RemoveListeners;

/**
 * Writes each secret into a file that only its owner can read (0600, in a new folder with 0700), in memory if the system has
 * such a file system, and never in the working directory. The files are removed at any end of this process except SIGKILL and a
 * crash; after these a later launcher removes them (leftovers.ts).
 *
 * @throws SophiaError (125) if they cannot be written
 */
export function writeSecretFiles(
  files: readonly SecretFile[],
  runtimeDirectory: string | undefined,
  atExit: AtExit = undoAtExit,
): SecretFiles {
  return withUmask(PRIVATE_UMASK, () =>
    writeFiles(files, makeFolder(runtimeDirectory), { atExit, removesProgramFiles: false }),
  );
}

/**
 * Makes a folder for this run, which only its owner can read (0700), with files in it by their names. The folder is removed as
 * secret files are, with all files that the program makes in it.
 *
 * @param files returns the files for the path of the folder
 * @returns its path, and functions that replace a file and that remove the folder now
 * @throws SophiaError (125) if it cannot be written
 */
export function makeRunFolder(
  files: (folder: string) => readonly SecretFile[],
  runtimeDirectory: string | undefined,
): Pick<SecretFiles, "folder" | "replace" | "remove"> {
  return withUmask(PRIVATE_UMASK, () => {
    const folder = makeFolder(runtimeDirectory);
    return writeFiles(files(folder.path), folder, { atExit: undoAtExit, removesProgramFiles: true });
  });
}

interface WriteOptions {
  readonly atExit: AtExit;
  /** True if the removal also removes the files that the program has made in the folder. */
  readonly removesProgramFiles: boolean;
}

function writeFiles(
  files: readonly SecretFile[],
  folder: OwnedFolder,
  { atExit, removesProgramFiles }: WriteOptions,
): SecretFiles {
  const { path, inside, descriptor } = folder;
  const paths = new Map<string, string>();
  const inodes = new Map<string, bigint>();
  /** The files that may exist. A name is added before its file is written, so that a file whose write fails is removed as well. */
  const fileNames: string[] = [];
  let isRemoved = false;
  const remove = atExit(() => {
    if (!isRemoved) removeOwnedFolder(folder, removesProgramFiles ? listEntries(inside) : fileNames);
    isRemoved = true;
  });
  try {
    for (const [index, { name, content }] of files.entries()) {
      const fileName = fileNameOf(name, index);
      paths.set(name, join(path, fileName));
      fileNames.push(fileName);
      inodes.set(fileName, writeNewFile(join(inside, fileName), content));
    }
  } catch (error) {
    remove();
    throw createWriteError(path, error, SPACE_HINT);
  }
  const replace = (name: string, content: string): void => {
    const file = paths.get(name);
    if (file === undefined) throw new TypeError("there is no such file");
    const fileName = basename(file);
    // No variable's file has a name with `~`.
    const replacementName = `${fileName}~`;
    if (!fileNames.includes(replacementName)) fileNames.push(replacementName);
    if (!isRemoved) replaceFile(folder, { fileName, replacementName, content });
  };
  return { paths, folder: path, descriptor, inodes, replace, remove };
}

/** Returns the name of a variable's file: the variable's name, unless a file system might not accept that. */
function fileNameOf(name: string, index: number): string {
  return /^\w{1,200}(?:\.yml)?$/.test(name) ? name : `file-${index}`;
}

/** Writes a file that does not exist yet. @returns its inode @throws the system's error, also if the path is a symbolic link */
function writeNewFile(path: string, content: string): bigint {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    const { ino } = fstatSync(descriptor, { bigint: true });
    writeFileSync(descriptor, content);
    return ino;
  } finally {
    closeSync(descriptor);
  }
}

interface Replacement {
  readonly fileName: string;
  readonly replacementName: string;
  readonly content: string;
}

/** Writes a file, and then renames it to the file that it replaces. @throws SophiaError (secret-files, 125) */
function replaceFile({ path, inside }: OwnedFolder, { fileName, replacementName, content }: Replacement): void {
  const replacementPath = join(inside, replacementName);
  withUmask(PRIVATE_UMASK, () => {
    try {
      // A replacement that has failed may have left this file.
      ignoreErrors(() => unlinkSync(replacementPath));
      writeFileSync(replacementPath, content, { flag: "wx", mode: 0o600 });
      renameSync(replacementPath, join(inside, fileName));
    } catch (error) {
      ignoreErrors(() => unlinkSync(replacementPath));
      throw createWriteError(path, error, SPACE_HINT);
    }
  });
}

/** Secret files that another process removes: the cleaner in exec mode, the monitor in spawn mode. */
export interface RemovableFiles {
  /** The program, with the paths of the files in its environment. */
  readonly program: Program;
  /** The arguments of the other process: the monitor's path, `FOLDER=PATH`, and `INODE=NAME` for each file, each ended by a NUL. */
  readonly strings: Uint8Array;
  /** The descriptor of the open folder, which has its lock; -1 if there are no files. */
  readonly folder: number;
  /** Removes the files in this process, if the other process could not be started. */
  readonly remove: () => void;
}

/**
 * Writes the secret files for another process to remove. The caller must hold all signals until that process runs, since a signal
 * that ended this process before would leave the files behind.
 *
 * @throws SophiaError (125)
 */
export function writeRemovableFiles({ files, program }: Launch, monitor: string): RemovableFiles {
  const runtimeDirectory = program.environment.get("XDG_RUNTIME_DIR");
  // The other process removes the files at its end, so this process does not at its own.
  const notAtExit: AtExit = (undo) => undo;
  const { folder, descriptor, inodes, paths, remove } = writeSecretFiles(files, runtimeDirectory, notAtExit);
  if (descriptor === undefined) throw new TypeError("the folder of secret files is not open");
  const entries = Array.from(inodes, ([name, inode]) => `${inode}=${name}`);
  return {
    program: { ...program, environment: new Map([...program.environment, ...paths]) },
    strings: Buffer.from(`${[monitor, `FOLDER=${folder}`, ...entries].join("\0")}\0`),
    folder: descriptor,
    remove,
  };
}

/**
 * Makes the folder on a file system in memory if there is one, otherwise among the temporary files. Removes leftovers there first.
 */
function makeFolder(runtimeDirectory: string | undefined): OwnedFolder {
  const runtimeFolders = runtimeDirectory !== undefined && isOwnFolder(runtimeDirectory) ? [runtimeDirectory] : [];
  const memoryFolders = ["/dev/shm", ...runtimeFolders].filter(isInMemory);
  const tryLock = loadMonitorAddon()?.tryLock;
  let lastFailure: unknown;
  for (const parentFolder of [...memoryFolders, temporaryFolder()]) {
    removeLeftovers(parentFolder, tryLock);
    try {
      return makeOwnedFolder(parentFolder, tryLock);
    } catch (error) {
      // Another user can fill the memory, and must not be able to bring the secrets to a disk by that.
      if (/^(?:ENOSPC|EDQUOT)$/.test(systemErrorCode(error) ?? ""))
        throw createWriteError(parentFolder, error, SPACE_HINT);
      lastFailure = createWriteError(parentFolder, error, "set TMPDIR to a folder that exists and may be written");
    }
  }
  throw lastFailure;
}

/**
 * Returns true if the value of XDG_RUNTIME_DIR is the absolute path of a folder that belongs to this user, and to which no other
 * user may write, as the XDG Base Directory Specification requires. sudo(8) and su(1) may leave the variable of another user.
 */
function isOwnFolder(path: string): boolean {
  const stats = path.startsWith("/") ? statSync(path, { throwIfNoEntry: false }) : undefined;
  return stats?.uid === process.geteuid?.() && ((stats?.mode ?? 0) & GROUP_OR_WORLD_WRITABLE) === 0;
}

/** Returns the folder for temporary files, but never the working directory, which users commit, copy into images and serve. */
export function temporaryFolder(): string {
  const folder = tmpdir();
  if (process.platform === "win32" || (isAbsolute(folder) && !isSameFolder(folder, "."))) return folder;
  return "/tmp";
}

/** Returns the error for the user if the system has refused a step; another error unchanged, since it is a fault of this code. */
function createWriteError(folder: string, error: unknown, hint: string): unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  return new SophiaError({
    code: "secret-files",
    message: `cannot write secret files into ${printable(folder)}: ${code}`,
    hint,
  });
}

/** Calls `undo` at any end of this process except SIGKILL and a crash. @returns calls it now */
export function undoAtExit(undo: () => void): RemoveListeners {
  // signal-exit ends the process at a signal that has no other listener. forward-signals.ts listens to each signal under one of its
  // names. Under its other name (SIGIOT for SIGABRT) signal-exit would be the only listener, so this listener is added.
  const forwarded = new Set(catchableSignals());
  const otherNames = signals.filter((signal) => !forwarded.has(signal));
  const stopListening = listenToSignals(otherNames, () => {});
  const cancelExit = onExit(undo);
  return () => {
    stopListening();
    cancelExit();
    undo();
  };
}
