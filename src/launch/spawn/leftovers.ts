/**
 * Removes the secret files of earlier runs whose sophia-run was killed by SIGKILL, or has crashed. secret-files.ts does this before
 * it writes new files.
 *
 * A folder of secret files has an owner, the process that will remove it (owned-folder.ts). Two facts show that the owner has
 * ended:
 *
 * - The process that made the folder has ended. Only processes in the same PID namespace can see that.
 * - The folder's lock is free. Processes in all namespaces can see that.
 *
 * The containers of a pod share /dev/shm but not their PIDs. So the lock alone decides for a folder of another namespace. For a
 * folder of the same namespace both facts are needed: in exec mode the program needs the files, has the maker's PID, and may
 * outlive a cleaner that was killed.
 */
import { closeSync, fstatSync, readlinkSync, realpathSync, rmdirSync, statfsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, sep } from "node:path";
import { attempt, systemErrorCode } from "../../system/errors.ts";
import { STICKY, WORLD_WRITABLE } from "../../system/ownership.ts";
import { readProcessStat } from "../proc/process-stat.ts";
import {
  listEntries,
  ignoreErrors,
  type FolderMaker,
  openFolder,
  parseFolderName,
  pathInside,
  pidNamespace,
  removeFiles,
  type TryLock,
} from "./owned-folder.ts";

/** The number of the machine's first PID namespace in all versions of Linux (PROC_PID_INIT_INO). */
export const FIRST_PID_NAMESPACE = "4026531836";

/** File systems in memory, by their type numbers in statfs(2). */
const MEMORY_TYPES: ReadonlySet<number> = new Set([
  0x0102_1994, // tmpfs
  0x8584_58f6, // ramfs
]);
/** File systems that only one machine uses at a time. On a shared file system neither processes nor locks show all owners. */
const LOCAL_TYPES: ReadonlySet<number> = new Set([
  0xef53, // ext4
  0x5846_5342, // XFS
  0x9123_683e, // Btrfs
  0xf2f5_2010, // F2FS
  0x2fc1_2fc1, // ZFS
  0xca45_1a4e, // bcachefs
  0x794c_7630, // overlay
]);
/** Limit on the folders that one start examines, since other users can make any number of them. */
const MAX_FOLDERS = 1000;

/** Returns true if the folder's file system is in memory and reaches no disk except swap. */
export function isInMemory(folder: string): boolean {
  return MEMORY_TYPES.has(fileSystemTypeOf(folder));
}

/** Returns the type number of a folder's file system; 0 if it is unknown. */
function fileSystemTypeOf(folder: string): number {
  return (process.platform === "linux" ? attempt(() => statfsSync(folder).type) : undefined) ?? 0;
}

/** Removes this user's folders in a folder that have no owner any more, with all files in them. Follows no symbolic links. */
export function removeLeftovers(parentFolder: string, tryLock: TryLock): void {
  if (!mayHaveLeftovers(parentFolder)) return;
  const namespace = pidNamespace();
  let examinedCount = 0;
  for (const name of listEntries(parentFolder)) {
    const maker = parseFolderName(name);
    if (maker === undefined) continue;
    examinedCount += 1;
    if (examinedCount > MAX_FOLDERS) return;
    const isInThisNamespace = maker.namespace === namespace && (namespace !== "0" || process.platform !== "linux");
    if (isInThisNamespace ? isAlive(maker) : !canLockDecide(maker)) continue;
    // Without the addon no lock can be tried. In this namespace the end of the maker must do then.
    const isLockFree = (descriptor: number): boolean =>
      !maker.wasLocked || (tryLock?.(descriptor) ?? isInThisNamespace);
    ignoreErrors(() => removeAbandoned(join(parentFolder, name), isLockFree));
  }
}

/**
 * Returns true if leftovers in a folder can be removed safely. Returns false on file systems that several machines share. Also
 * returns false on a disk if every user may rename this user's folders: another user could give one with other files the name of a
 * leftover.
 */
function mayHaveLeftovers(parentFolder: string): boolean {
  if (process.platform !== "linux") return true;
  const type = fileSystemTypeOf(parentFolder);
  if (MEMORY_TYPES.has(type)) return true;
  const mode = statSync(parentFolder, { throwIfNoEntry: false })?.mode ?? 0;
  return LOCAL_TYPES.has(type) && (mode & (WORLD_WRITABLE | STICKY)) !== WORLD_WRITABLE;
}

/**
 * Returns true if the lock alone shows whether a folder of another PID namespace has an owner. A folder of the first namespace may
 * be that of a program in exec mode, which uses a cleaner only there: then only the program's PID shows that the program still
 * runs.
 */
function canLockDecide({ wasLocked, namespace }: FolderMaker): boolean {
  return wasLocked && namespace !== FIRST_PID_NAMESPACE;
}

/** Returns true for a process of this PID namespace that exists, or may exist. */
function isAlive({ pid, startTime }: FolderMaker): boolean {
  try {
    // The signal 0 only checks whether the process exists.
    process.kill(pid, 0);
  } catch (error) {
    if (systemErrorCode(error) !== "EPERM") return false;
  }
  if (startTime === "0") return true;
  // /proc may hide the process (hidepid of proc(5)), or may have the PIDs of another namespace.
  const isShown = process.platform !== "linux" || attempt(() => readlinkSync("/proc/self")) === String(process.pid);
  const stat = isShown ? readProcessStat(pid) : undefined;
  return stat === undefined || stat.startTime === startTime;
}

/** Removes a folder of this user. @param isLockFree tries the lock of the open folder @throws the system's error */
function removeAbandoned(path: string, isLockFree: (descriptor: number) => boolean): void {
  if (process.platform === "win32") {
    removeFromProfile(path);
    return;
  }
  const descriptor = openFolder(path);
  try {
    // All steps but the last use the descriptor, because another user might put another folder at the path meanwhile.
    if (fstatSync(descriptor).uid !== process.geteuid?.() || !isLockFree(descriptor)) return;
    const inside = pathInside(path, descriptor);
    removeFiles(inside, listEntries(inside));
    rmdirSync(path);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Does the same on Windows, which opens no folders, and whose files have no owner with a number. So the folder must be in the
 * user's profile, and must not be a link.
 */
function removeFromProfile(path: string): void {
  const realPath = realpathSync.native(path);
  const isLink = realPath !== join(realpathSync.native(dirname(path)), basename(path));
  if (isLink || !realPath.startsWith(`${realpathSync.native(homedir())}${sep}`)) return;
  removeFiles(path, listEntries(path));
  rmdirSync(path);
}
