import { closeSync, constants, fstatSync, openSync, renameSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, isAbsolute, join } from "node:path";
import { onExit, signals } from "signal-exit";
import { SophiaError } from "../core/error.ts";
import { printable } from "../core/text.ts";
import { systemErrorCode } from "../system/errors.ts";
import { GROUP_OR_WORLD_WRITABLE } from "../system/ownership.ts";
import { isSameFolder } from "../system/paths.ts";
import { loadMonitorAddon } from "./monitor/monitor-addon.ts";
import type { Launch, Program, SecretFile } from "./types.ts";
import { listen, type Undo } from "./event-listeners.ts";
import { catchableSignals } from "./signals.ts";
import { isInMemory, removeLeftovers } from "./spawn/leftovers.ts";
import { entriesOf, ignoreErrors, makeOwnedFolder, type OwnedFolder, removeOwnedFolder } from "./spawn/owned-folder.ts";

const SPACE_HINT = "free space there; without /dev/shm, set XDG_RUNTIME_DIR or TMPDIR to another folder";

export interface SecretFiles {
  /** Path by variable name. */
  readonly paths: ReadonlyMap<string, string>;
  readonly folder: string;
  /** The descriptor of the open folder, which has its lock (owned-folder.ts); undefined on Windows. Closed by `remove`. */
  readonly descriptor: number | undefined;
  /** Inode by file name. */
  readonly inodes: ReadonlyMap<string, bigint>;
  /**
   * Gives the file of a variable another content. The content is written beside it and then renamed, so that a reader
   * sees the former one or the new one whole. Has no effect once the files are removed. @throws SophiaError (secret-files, 125)
   */
  readonly replace: (name: string, content: string) => void;
  readonly remove: () => void;
}

/**
 * Writes each secret into a file that only its owner can read (0600, in a new folder with 0700), in memory if the system has
 * such a file system, and never in the working directory. They are removed at any end of this process except SIGKILL and a
 * crash; a later launcher removes the files of those (leftovers.ts).
 *
 * @param atExit also calls the removal at the end of this process
 * @throws SophiaError (125) if they cannot be written
 */
export function writeSecretFiles(
  files: readonly SecretFile[],
  runtimeDirectory: string | undefined,
  atExit: (remove: () => void) => Undo = undoAtExit,
): SecretFiles {
  // The caller's could remove the owner's own permissions.
  const mask = process.umask(0o077);
  try {
    return write(files, makeFolder(runtimeDirectory), atExit);
  } finally {
    process.umask(mask);
  }
}

function write(
  files: readonly SecretFile[],
  folder: OwnedFolder,
  atExit: (remove: () => void) => Undo,
  isShared = false,
): SecretFiles {
  const { path, inside, descriptor } = folder;
  const paths = new Map<string, string>();
  const inodes = new Map<string, bigint>();
  const written: string[] = [];
  let isRemoved = false;
  const remove = atExit(() => {
    if (!isRemoved) removeOwnedFolder(folder, isShared ? entriesOf(inside) : written);
    isRemoved = true;
  });
  try {
    for (const [index, { name, content }] of files.entries()) {
      const ownName = /^\w{1,200}(?:\.yml)?$/.test(name) ? name : `file-${index}`;
      paths.set(name, join(path, ownName));
      written.push(ownName);
      // A new file or none: O_EXCL follows no link either.
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
      const file = openSync(join(inside, ownName), flags, 0o600);
      try {
        inodes.set(ownName, fstatSync(file, { bigint: true }).ino);
        writeFileSync(file, content);
      } finally {
        closeSync(file);
      }
    }
    const replace = (name: string, content: string): void => {
      const file = paths.get(name);
      if (file === undefined) throw new TypeError("there is no such file");
      // No other file has such a name.
      const [fileName, beside] = [basename(file), `${basename(file)}~`];
      if (!written.includes(beside)) written.push(beside);
      if (!isRemoved) replaceFile(folder, beside, fileName, content);
    };
    return { paths, folder: path, descriptor, inodes, replace, remove };
  } catch (error) {
    remove();
    throw cannotWrite(path, error, SPACE_HINT);
  }
}

/** Writes a file, and then renames it to one that it replaces. @throws SophiaError (secret-files, 125) */
function replaceFile({ path, inside }: OwnedFolder, beside: string, fileName: string, content: string): void {
  const mask = process.umask(0o077);
  try {
    // A replacement that has failed may have left it.
    ignoreErrors(() => unlinkSync(join(inside, beside)));
    writeFileSync(join(inside, beside), content, { flag: "wx", mode: 0o600 });
    renameSync(join(inside, beside), join(inside, fileName));
  } catch (error) {
    ignoreErrors(() => unlinkSync(join(inside, beside)));
    throw cannotWrite(path, error, SPACE_HINT);
  } finally {
    process.umask(mask);
  }
}

/** Secret files that another process removes: the cleaner in exec mode, the monitor in spawn mode. */
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

/**
 * Makes a folder for this run, which only its owner can read (0700), with files in it by their names. It is removed as secret
 * files are, with all files that the program makes in it.
 *
 * @returns its path, and a function that removes it now
 * @throws SophiaError (125) if it cannot be written
 */
export function makeRunFolder(
  files: (folder: string) => readonly SecretFile[],
  runtimeDirectory: string | undefined,
): Pick<SecretFiles, "folder" | "replace" | "remove"> {
  const mask = process.umask(0o077);
  try {
    const folder = makeFolder(runtimeDirectory);
    return write(files(folder.path), folder, undoAtExit, true);
  } finally {
    process.umask(mask);
  }
}

/** Makes the folder on a file system in memory, else among the temporary files. Removes leftovers there first. */
function makeFolder(runtimeDirectory: string | undefined): OwnedFolder {
  const runtime = runtimeDirectory !== undefined && isOwnFolder(runtimeDirectory) ? [runtimeDirectory] : [];
  const inMemory = ["/dev/shm", ...runtime].filter(isInMemory);
  const tryLock = loadMonitorAddon()?.tryLock;
  let failure: unknown;
  for (const base of [...inMemory, temporaryFolder()]) {
    removeLeftovers(base, tryLock);
    try {
      return makeOwnedFolder(base, tryLock);
    } catch (error) {
      // Another user can fill the memory, which must not bring the files to a disk.
      if (/^(?:ENOSPC|EDQUOT)$/.test(systemErrorCode(error) ?? "")) throw cannotWrite(base, error, SPACE_HINT);
      failure = cannotWrite(base, error, "set TMPDIR to a folder that exists and may be written");
    }
  }
  throw failure;
}

/** As the XDG Base Directory Specification requires: sudo(8) and su(1) may leave the variable of another user. */
function isOwnFolder(path: string): boolean {
  const stats = path.startsWith("/") ? statSync(path, { throwIfNoEntry: false }) : undefined;
  return stats?.uid === process.geteuid?.() && ((stats?.mode ?? 0) & GROUP_OR_WORLD_WRITABLE) === 0;
}

/** Returns the folder for temporary files; not the working directory, which users commit, copy into images and serve. */
export function temporaryFolder(): string {
  const named = tmpdir();
  if (process.platform === "win32" || (isAbsolute(named) && !isSameFolder(named, "."))) return named;
  return "/tmp";
}

function cannotWrite(folder: string, error: unknown, hint: string): unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  return new SophiaError({
    code: "secret-files",
    message: `cannot write secret files into ${printable(folder)}: ${code}`,
    hint,
  });
}

/** Calls `undo` at any end of this process except SIGKILL and a crash. @returns calls it now */
export function undoAtExit(undo: () => void): Undo {
  // signal-exit ends the process on a signal without other listeners. Forwarding listens under one name of each signal:
  // under the other (SIGIOT of SIGABRT) signal-exit would be the only listener.
  const forwarded = new Set(catchableSignals());
  const further = signals.filter((signal) => !forwarded.has(signal));
  const stopListening = listen(further, () => {});
  const forget = onExit(undo);
  return () => {
    stopListening();
    forget();
    undo();
  };
}
