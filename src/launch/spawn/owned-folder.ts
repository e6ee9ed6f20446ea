/**
 * Makes and removes the folder of one run's secret files (secret-files.ts). A lock shows that the folder has an owner.
 *
 * The owner is the process that will remove the files: first sophia-run, then the monitor or the cleaner, which inherit the open
 * folder. The owner holds an exclusive lock of the folder (flock(2)). The program inherits no descriptor of the folder. So the
 * kernel releases the lock when the owner has ended, also by SIGKILL, and processes in other PID and mount namespaces see that.
 *
 * A folder gets a name with "locked" once it is locked, never before. So if the lock of such a folder is free, its owner has ended.
 * Folders of versions without the lock, and on file systems without locks, have other names, which show only the maker's process:
 *
 *     sophia-run-4026531836-4711-123456-a1B2c3          sophia-run-NAMESPACE-PID-STARTTIME-RANDOM
 *     sophia-run-4026531836-4711-123456-locked-0f1e2d3c
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  opendirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { attempt, codeOrThrow } from "../../system/errors.ts";
import type { MonitorAddon } from "../monitor/monitor-addon.ts";
import { readProcessStat } from "../proc/process-stat.ts";

/** An open folder of this process. */
export interface OwnedFolder {
  readonly path: string;
  /** A path that leads this process to the same folder even if another user has moved it and put another folder at `path`. */
  readonly inside: string;
  /** The descriptor with the lock, which is close-on-exec; undefined on Windows, which opens no folders. */
  readonly descriptor: number | undefined;
}

/** The maker of a folder, as the folder's name shows it. */
export interface FolderMaker {
  /** The number of its PID namespace; "0" if unknown. */
  readonly namespace: string;
  readonly pid: number;
  /** The start time of the process as in `ProcessStat`, since PIDs are reused; "0" if unknown. */
  readonly startTime: string;
  /** True if the folder was locked, as its name shows. */
  readonly wasLocked: boolean;
}

/** The function that takes the lock of an open folder if the lock is free; undefined without the addon. */
export type TryLock = MonitorAddon["tryLock"] | undefined;

const LOCKED = "locked-";
/** The lengths are those of 32-bit and 64-bit integers. */
const FOLDER_NAME = new RegExp(String.raw`^sophia-run-(\d{1,10})-(\d{1,10})-(\d{1,20})-(${LOCKED})?`);
/** The length of the random end of a name (mkdtemp(3)). */
const RANDOM_LENGTH = 6;
/** Limit on the entries that are read of a folder, since other users may have made any number of them. */
const MAX_ENTRIES = 10_000;

/** Parses the name of a folder. Returns undefined if it is not a folder of secret files. */
export function parseFolderName(name: string): FolderMaker | undefined {
  const match = FOLDER_NAME.exec(name);
  if (match === null) return undefined;
  const [, namespace = "0", pid, startTime = "0", locked] = match;
  return { namespace, pid: Number(pid), startTime, wasLocked: locked !== undefined };
}

/** Returns the number of this PID namespace; "0" if unknown. */
export function pidNamespace(): string {
  return /\d+/.exec(attempt(() => readlinkSync("/proc/self/ns/pid")) ?? "")?.[0] ?? "0";
}

/** Makes an empty folder in another folder, with the permissions 0700, and locks it if possible. @throws the system's error */
export function makeOwnedFolder(parentFolder: string, tryLock: TryLock): OwnedFolder {
  const startTime = readProcessStat("self")?.startTime ?? "0";
  const unlockedPath = mkdtempSync(join(parentFolder, `sophia-run-${pidNamespace()}-${process.pid}-${startTime}-`));
  if (process.platform === "win32") return { path: unlockedPath, inside: unlockedPath, descriptor: undefined };
  let descriptor: number;
  try {
    descriptor = openFolder(unlockedPath);
  } catch (error) {
    ignoreErrors(() => rmdirSync(unlockedPath));
    throw error;
  }
  const path = tryLock?.(descriptor) === true ? renameAsLocked(unlockedPath) : unlockedPath;
  const inside = pathInside(path, descriptor);
  if (listEntries(inside).length === 0) return { path, inside, descriptor };
  // Another user who may rename folders in the parent folder has put a folder with files there.
  closeSync(descriptor);
  throw Object.assign(new Error("ENOTEMPTY"), { code: "ENOTEMPTY" });
}

/** Gives a folder the name of a locked folder. @returns its path, which is the former path if the system refuses that */
function renameAsLocked(unlockedPath: string): string {
  // The random end is a new one: another user has seen the former end, and could have made a folder with it.
  const lockedPath = `${unlockedPath.slice(0, -RANDOM_LENGTH)}${LOCKED}${randomBytes(4).toString("hex")}`;
  return attempt(() => (renameSync(unlockedPath, lockedPath), lockedPath)) ?? unlockedPath;
}

/** Opens a folder, but no symbolic link to a folder. @throws the system's error */
export function openFolder(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** Returns a path of an open folder for this process, as in `inside` of {@link OwnedFolder}. Without /proc it is the usual path. */
export function pathInside(path: string, descriptor: number): string {
  const descriptorPath = `/proc/self/fd/${descriptor}`;
  return process.platform === "linux" && existsSync(descriptorPath) ? descriptorPath : path;
}

/** Removes a folder and these files in it, and then releases its lock. Must be called only once, since it closes the descriptor. */
export function removeOwnedFolder({ path, inside, descriptor }: OwnedFolder, names: readonly string[]): void {
  removeFiles(inside, names);
  ignoreErrors(() => rmdirSync(path));
  if (descriptor !== undefined) closeSync(descriptor);
}

/** Removes the files in a folder, not folders in it. */
export function removeFiles(folder: string, names: readonly string[]): void {
  for (const name of names) ignoreErrors(() => unlinkSync(join(folder, name)));
}

/** Returns the names in a folder, but at most {@link MAX_ENTRIES}; none if the folder cannot be read. */
export function listEntries(path: string): readonly string[] {
  const names: string[] = [];
  const folder = attempt(() => opendirSync(path, { bufferSize: 512 }));
  if (folder === undefined) return names;
  try {
    for (let entry = folder.readSync(); entry !== null && names.length < MAX_ENTRIES; entry = folder.readSync()) {
      names.push(entry.name);
    }
  } finally {
    folder.closeSync();
  }
  return names;
}

/** Performs a step of a clean-up, and ignores an error of the system: the clean-up continues, and a later start tries again. */
export function ignoreErrors(step: () => void): void {
  try {
    step();
  } catch (error) {
    codeOrThrow(error);
  }
}
