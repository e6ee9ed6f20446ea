/**
 * Removal of secret files that a killed sophia-run has left.
 *
 * Two things show that a folder has no owner any more: its maker has ended, which only processes of the same PID namespace
 * can see; and its lock is free (owned-folder.ts). The containers of a pod share /dev/shm, not PIDs, so that there the lock
 * decides. In the maker's namespace both must be true: in exec mode the program, which needs the files, has the maker's PID,
 * and may outlive a cleaner that was killed.
 */
import { closeSync, fstatSync, readlinkSync, realpathSync, rmdirSync, statfsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, sep } from "node:path";
import { attempt, systemErrorCode } from "../../system/errors.ts";
import { STICKY, WORLD_WRITABLE } from "../../system/ownership.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import {
  entriesOf,
  ignoreErrors,
  type Mark,
  markIn,
  openFolder,
  pathInside,
  pidNamespace,
  removeFiles,
  type TryLock,
} from "./owned-folder.ts";

/** The machine's own PID namespace in all versions of Linux (PROC_PID_INIT_INO). */
export const FIRST_PID_NAMESPACE = "4026531836";

/** File systems in memory, by the numbers of statfs(2). */
const IN_MEMORY: ReadonlySet<number> = new Set([
  0x0102_1994, // tmpfs
  0x8584_58f6, // ramfs
]);
/** File systems that no other machine uses at the same time: on others neither processes nor locks show an owner. */
const OF_THIS_MACHINE: ReadonlySet<number> = new Set([
  0xef53, // ext4
  0x5846_5342, // XFS
  0x9123_683e, // Btrfs
  0xf2f5_2010, // F2FS
  0x2fc1_2fc1, // ZFS
  0xca45_1a4e, // bcachefs
  0x794c_7630, // overlay
]);
/** The folders that a start looks at: the runs of other programs have some, and other users can make any number. */
const MOST_FOLDERS = 1000;

/** Returns true if the folder's file system is in memory and reaches no disk except swap. */
export function isInMemory(folder: string): boolean {
  return IN_MEMORY.has(fileSystemOf(folder));
}

function fileSystemOf(folder: string): number {
  return (process.platform === "linux" ? attempt(() => statfsSync(folder).type) : undefined) ?? 0;
}

/** Removes this user's folders in `base` that have no owner any more, with all files in them. Follows no links. */
export function removeLeftovers(base: string, tryLock: TryLock): void {
  if (!mayHaveLeftovers(base)) return;
  const namespace = pidNamespace();
  let looked = 0;
  for (const name of entriesOf(base)) {
    const mark = markIn(name);
    if (mark === undefined) continue;
    looked += 1;
    if (looked > MOST_FOLDERS) return;
    const isHere = mark.namespace === namespace && (namespace !== "0" || process.platform !== "linux");
    if (isHere ? isAlive(mark) : !showsOwnerElsewhere(mark)) continue;
    const isFree = (descriptor: number): boolean => !mark.isLocked || (tryLock?.(descriptor) ?? isHere);
    ignoreErrors(() => removeAbandoned(join(base, name), isFree));
  }
}

/**
 * Returns false for file systems of several machines, and on a disk if every user may rename this user's folders: one of them
 * could give a folder with other files the name of a leftover.
 */
function mayHaveLeftovers(base: string): boolean {
  if (process.platform !== "linux") return true;
  const type = fileSystemOf(base);
  if (IN_MEMORY.has(type)) return true;
  const mode = statSync(base, { throwIfNoEntry: false })?.mode ?? 0;
  return OF_THIS_MACHINE.has(type) && (mode & (WORLD_WRITABLE | STICKY)) !== WORLD_WRITABLE;
}

/** Exec mode with a cleaner is in the first namespace alone: there only the program's PID shows that it runs. */
function showsOwnerElsewhere({ isLocked, namespace }: Mark): boolean {
  return isLocked && namespace !== FIRST_PID_NAMESPACE;
}

/** Returns true for a process of this PID namespace that exists, or may exist. */
function isAlive({ pid, startTime }: Mark): boolean {
  try {
    process.kill(pid, 0); // only checks
  } catch (error) {
    if (systemErrorCode(error) !== "EPERM") return false;
  }
  if (startTime === "0") return true;
  // Hidden (hidepid of proc(5)), or /proc has the PIDs of another namespace.
  const isShown = process.platform !== "linux" || attempt(() => readlinkSync("/proc/self")) === String(process.pid);
  const stat = isShown ? readProcessStat(pid) : undefined;
  return stat === undefined || stat.startTime === startTime;
}

/** @param isFree is asked about the open folder @throws the system's error */
function removeAbandoned(path: string, isFree: (descriptor: number) => boolean): void {
  if (process.platform === "win32") {
    removeFromProfile(path);
    return;
  }
  const descriptor = openFolder(path);
  try {
    // On the descriptor, so that another user cannot swap the folder.
    if (fstatSync(descriptor).uid !== process.geteuid?.() || !isFree(descriptor)) return;
    const inside = pathInside(path, descriptor);
    removeFiles(inside, entriesOf(inside));
    rmdirSync(path);
  } finally {
    closeSync(descriptor);
  }
}

/** The same on Windows, which opens no folders and has no such owners: only in the user's own profile, through no link. */
function removeFromProfile(path: string): void {
  const [real, profile] = [path, homedir()].map((one) => realpathSync.native(one));
  if (real !== join(realpathSync.native(dirname(path)), basename(path)) || !real.startsWith(`${profile}${sep}`)) return;
  removeFiles(path, entriesOf(path));
  rmdirSync(path);
}
