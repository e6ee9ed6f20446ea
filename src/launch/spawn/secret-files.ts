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
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join, sep } from "node:path";
import { SophiaError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import { systemErrorCode } from "../../system/errors.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import type { SecretFile } from "../types.ts";
import type { Undo } from "../listen.ts";
import { undoAtExit } from "./at-exit.ts";

export interface SecretFiles {
  /** Variable name and path of each file. */
  readonly paths: ReadonlyMap<string, string>;
  readonly folder: string;
  /** The name in the folder and the inode of each file. */
  readonly inodes: ReadonlyMap<string, bigint>;
  /** Removes the files and their folder; may be called again. */
  readonly remove: () => void;
}

/**
 * Writes each secret into a file that its owner alone can read (0600, in a new folder with 0700), where the system has
 * it in memory that is never written to a disk, and not into the working directory. First removes what launchers left that were killed. However this process
 * ends, short of SIGKILL and a crash, the files are removed; after those the next launcher does it.
 *
 * @param runtimeDirectory the value of `XDG_RUNTIME_DIR`, if there is one
 * @param atExit has the removal done at the end of this process, too
 * @throws SophiaError (125) when they cannot be written
 */
export function writeSecretFiles(
  files: readonly SecretFile[],
  runtimeDirectory: string | undefined,
  atExit: (remove: () => void) => Undo = undoAtExit,
): SecretFiles {
  // The caller's could take the owner's own permissions away.
  const mask = process.umask(0o077);
  try {
    return write(files, makeFolder(runtimeDirectory), atExit);
  } finally {
    process.umask(mask);
  }
}

function write(files: readonly SecretFile[], folder: string, atExit: (remove: () => void) => Undo): SecretFiles {
  const paths = new Map<string, string>();
  const inodes = new Map<string, bigint>();
  const remove = atExit(() => {
    for (const path of paths.values()) quietly(() => unlinkSync(path));
    quietly(() => rmdirSync(folder));
  });
  try {
    for (const [index, { name, content }] of files.entries()) {
      const ownName = /^\w{1,200}$/.test(name) ? name : `file-${index}`;
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
    throw cannotWrite(folder, error);
  }
}

/**
 * Makes the folder, on a file system in memory where there is one, else among the temporary files; sweeps there first.
 */
function makeFolder(runtimeDirectory: string | undefined): string {
  const inMemory = ["/dev/shm", runtimeDirectory ?? ""].filter((base) => base.startsWith("/") && isMemory(base));
  let failure: unknown;
  for (const base of [...inMemory, temporaryFolder()]) {
    sweep(base);
    try {
      return mkdtempSync(join(base, `sophia-run-${ownMark()}-`));
    } catch (error) {
      failure = cannotWrite(base, error);
    }
  }
  throw failure;
}

/** The folder for temporary files; not the working directory, which people commit, copy into images and serve. */
export function temporaryFolder(): string {
  const named = tmpdir();
  if (process.platform === "win32" || (isAbsolute(named) && !isWorkingDirectory(named))) return named;
  return "/tmp";
}

function isWorkingDirectory(folder: string): boolean {
  const [one, other] = [folder, "."].map((path) => statSync(path, { throwIfNoEntry: false }));
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino;
}

function cannotWrite(folder: string, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  return new SophiaError({
    code: "secret-files",
    message: `cannot write secret files into ${printable(folder)}: ${code}`,
    hint: "free space there; where /dev/shm is missing, XDG_RUNTIME_DIR or TMPDIR names another folder",
  });
}

/** Whether the folder's file system is in memory and never written to a disk but swap. */
function isMemory(folder: string): boolean {
  try {
    const { type } = statfsSync(folder); // throws where there is none
    return process.platform === "linux" && (type === 0x01021994 || type === 0x858458f6); // TMPFS_MAGIC, RAMFS_MAGIC
  } catch {
    return false;
  }
}

/** Identifies this process: its PID namespace, its PID there, and when it started (PIDs are reused). */
function ownMark(): string {
  return [pidNamespace(), process.pid, readProcessStat("self")?.startTime ?? "0"].join("-");
}

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch {
    return "0";
  }
}

/**
 * Removes the folders of launchers that are gone, such as by SIGKILL: of this user only, of this PID namespace only
 * (another container's processes cannot be seen from here), and no symbolic links to folders.
 */
export function sweep(base: string): void {
  let names: readonly string[];
  try {
    names = readdirSync(base);
  } catch {
    return;
  }
  const namespace = pidNamespace();
  for (const name of names) {
    const mark = /^sophia-run-(\d+)-(\d+)-(\d+)-/.exec(name);
    if (mark === null || mark[1] !== namespace) continue;
    if (isAlive(Number(mark[2]), mark[3] ?? "0")) continue;
    quietly(() => removeFolder(join(base, name)));
  }
}

function isAlive(pid: number, startTime: string): boolean {
  const stat = readProcessStat(pid);
  if (stat !== undefined) return startTime === "0" || stat.startTime === startTime;
  // Gone, or hidden from here (hidepid of proc(5)), as another launcher is that keeps its environment to itself.
  try {
    process.kill(pid, 0); // signals nothing
    return true;
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
}

/**
 * Empties and removes one folder. The folder is opened once, not through a link, and its owner is checked on the
 * open descriptor, so that nobody can replace it in between.
 */
function removeFolder(path: string): void {
  if (process.platform === "win32") {
    removeFromProfile(path);
    return;
  }
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    if (fstatSync(descriptor).uid !== process.geteuid?.()) return;
    const inside = process.platform === "linux" ? `/proc/self/fd/${descriptor}` : path;
    for (const name of readdirSync(inside)) unlinkSync(`${inside}/${name}`);
    rmdirSync(path);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The same on Windows, which opens no folders and has no such owners: only in the user's own profile, where the folder
 * for temporary files usually is, and through no link.
 */
function removeFromProfile(path: string): void {
  const [real, profile] = [path, homedir()].map((one) => realpathSync.native(one));
  if (real !== join(realpathSync.native(dirname(path)), basename(path)) || !real.startsWith(`${profile}${sep}`)) return;
  for (const name of readdirSync(path)) unlinkSync(join(path, name));
  rmdirSync(path);
}

/** Clean-up continues whatever goes wrong in one step; the next launcher's sweep tries again. */
function quietly(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
}
