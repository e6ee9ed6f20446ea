import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  statfsSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join, sep } from "node:path";
import { onExit, signals } from "signal-exit";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { codeOrThrow, systemErrorCode, attempt } from "../../system/errors.ts";
import { isSameFolder } from "../../system/paths.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import type { SecretFile } from "../types.ts";
import { listen, type Undo } from "../listen.ts";
import { catchableSignals } from "../signals.ts";

export interface SecretFiles {
  /** Path by variable name. */
  readonly paths: ReadonlyMap<string, string>;
  readonly folder: string;
  /** Inode by file name. */
  readonly inodes: ReadonlyMap<string, bigint>;
  readonly remove: () => void;
}

/**
 * Writes each secret into a file that only its owner can read (0600, in a new folder with 0700), in memory if the system has
 * such a file system, and never in the working directory. They are removed at any end of this process except SIGKILL and a
 * crash; the next launcher removes the files of those.
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
  folder: string,
  atExit: (remove: () => void) => Undo,
  isShared = false,
): SecretFiles {
  const paths = new Map<string, string>();
  const inodes = new Map<string, bigint>();
  const remove = atExit(() => {
    for (const path of paths.values()) ignoreErrors(() => unlinkSync(path));
    ignoreErrors(() => (isShared ? removeFolder(folder) : rmdirSync(folder)));
  });
  try {
    for (const [index, { name, content }] of files.entries()) {
      const ownName = /^\w{1,200}(?:\.yml)?$/.test(name) ? name : `file-${index}`;
      const path = join(folder, ownName);
      paths.set(name, path);
      // A new file or none: O_EXCL follows no link either.
      const descriptor = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        inodes.set(ownName, fstatSync(descriptor, { bigint: true }).ino);
        writeFileSync(descriptor, content);
      } finally {
        closeSync(descriptor);
      }
    }
    return { paths, folder, inodes, remove };
  } catch (error) {
    remove();
    const hint = "free space there; without /dev/shm, set XDG_RUNTIME_DIR or TMPDIR to another folder";
    throw cannotWrite(folder, error, hint);
  }
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
): Pick<SecretFiles, "folder" | "remove"> {
  const mask = process.umask(0o077);
  try {
    const folder = makeFolder(runtimeDirectory);
    return write(files(folder), folder, undoAtExit, true);
  } finally {
    process.umask(mask);
  }
}

/** Makes the folder on a file system in memory, else among the temporary files. Sweeps there first. */
function makeFolder(runtimeDirectory: string | undefined): string {
  const inMemory = ["/dev/shm", runtimeDirectory ?? ""].filter((base) => base.startsWith("/") && isMemory(base));
  let failure: unknown;
  for (const base of [...inMemory, temporaryFolder()]) {
    sweep(base);
    try {
      return mkdtempSync(join(base, `sophia-run-${ownMark()}-`));
    } catch (error) {
      failure = cannotWrite(base, error, "set TMPDIR to a folder that exists and may be written");
    }
  }
  throw failure;
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

/** Returns true if the folder's file system is in memory and reaches no disk except swap. */
function isMemory(folder: string): boolean {
  const type = process.platform === "linux" ? attempt(() => statfsSync(folder).type) : undefined;
  return type === 0x01021994 || type === 0x858458f6; // TMPFS_MAGIC, RAMFS_MAGIC
}

/** Identifies this process by its PID namespace, its PID there and its start time (PIDs are reused). */
function ownMark(): string {
  return [pidNamespace(), process.pid, readProcessStat("self")?.startTime ?? "0"].join("-");
}

/** Returns the number of this PID namespace; "0" if unknown. */
export function pidNamespace(): string {
  return /\d+/.exec(attempt(() => readlinkSync("/proc/self/ns/pid")) ?? "")?.[0] ?? "0";
}

/** Removes this user's folders of ended launchers, only of this PID namespace: others are invisible. Follows no links. */
export function sweep(base: string): void {
  const namespace = pidNamespace();
  for (const name of attempt(() => readdirSync(base)) ?? []) {
    const mark = /^sophia-run-(\d+)-(\d+)-(\d+)-/.exec(name);
    if (mark === null || mark[1] !== namespace) continue;
    if (isAlive(Number(mark[2]), mark[3] ?? "0")) continue;
    ignoreErrors(() => removeFolder(join(base, name)));
  }
}

function isAlive(pid: number, startTime: string): boolean {
  const stat = readProcessStat(pid);
  if (stat !== undefined) return startTime === "0" || stat.startTime === startTime;
  // Gone, or hidden (hidepid of proc(5)).
  try {
    process.kill(pid, 0); // only checks
    return true;
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
}

/** Empties and removes a folder. Checks the owner on the descriptor, so that another user cannot swap the folder. */
function removeFolder(path: string): void {
  if (process.platform === "win32") {
    removeFromProfile(path);
    return;
  }
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    if (fstatSync(descriptor).uid !== process.geteuid?.()) return;
    const inside = process.platform === "linux" ? `/proc/self/fd/${descriptor}` : path;
    for (const name of readdirSync(inside)) ignoreErrors(() => unlinkSync(`${inside}/${name}`));
    rmdirSync(path);
  } finally {
    closeSync(descriptor);
  }
}

/** The same on Windows, which opens no folders and has no such owners: only in the user's own profile, through no link. */
function removeFromProfile(path: string): void {
  const [real, profile] = [path, homedir()].map((one) => realpathSync.native(one));
  if (real !== join(realpathSync.native(dirname(path)), basename(path)) || !real.startsWith(`${profile}${sep}`)) return;
  for (const name of readdirSync(path)) unlinkSync(join(path, name));
  rmdirSync(path);
}

/** Ignores system errors: the clean-up continues, and the next launcher's sweep retries. */
function ignoreErrors(step: () => void): void {
  try {
    step();
  } catch (error) {
    codeOrThrow(error);
  }
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
