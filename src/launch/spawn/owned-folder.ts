/**
 * The folder of one run's secret files, and the lock that shows that they have an owner.
 *
 * The owner is the process that will remove the files: sophia-run, then the monitor or the cleaner, which inherit the open
 * folder. It holds an exclusive lock of it (flock(2)). The program inherits no descriptor of the folder. So the kernel
 * releases the lock when the owner has ended, also by SIGKILL, and processes in other PID and mount namespaces see that.
 *
 * A folder is named "locked" once it is locked, never before: if its lock is free, its owner has ended. Other names, of
 * versions without the lock and of file systems without locks, show only which process has made the folder.
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

export interface OwnedFolder {
  readonly path: string;
  /** The path for this process, which leads to the same folder even if another one has taken `path`. */
  readonly inside: string;
  /** Has the lock; closed at the next execve(2). Undefined on Windows, which opens no folders. */
  readonly descriptor: number | undefined;
}

/** The maker of a folder, as its name shows. */
export interface Mark {
  /** The number of its PID namespace; "0" if unknown. */
  readonly namespace: string;
  readonly pid: number;
  /** The start time as in `ProcessStat`, since PIDs are reused; "0" if unknown. */
  readonly startTime: string;
  readonly isLocked: boolean;
}

/** Takes the lock of an open folder if it is free; undefined without the addon. */
export type TryLock = MonitorAddon["tryLock"] | undefined;

const LOCKED = "locked-";
const NAME = new RegExp(String.raw`^sophia-run-(\d{1,10})-(\d{1,10})-(\d{1,20})-(${LOCKED})?`);
/** The random end of a name (mkdtemp(3)). */
const RANDOM_LENGTH = 6;
/** The entries of a folder that are looked at. */
const MOST_ENTRIES = 10_000;

/** Returns the maker of a folder; undefined for other names. */
export function markIn(name: string): Mark | undefined {
  const found = NAME.exec(name);
  if (found === null) return undefined;
  const [, namespace = "0", pid, startTime = "0", locked] = found;
  return { namespace, pid: Number(pid), startTime, isLocked: locked !== undefined };
}

/** Returns the number of this PID namespace; "0" if unknown. */
export function pidNamespace(): string {
  return /\d+/.exec(attempt(() => readlinkSync("/proc/self/ns/pid")) ?? "")?.[0] ?? "0";
}

/** Makes an empty folder with the permissions 0700 and the umask. @throws the system's error */
export function makeOwnedFolder(base: string, tryLock: TryLock): OwnedFolder {
  const startTime = readProcessStat("self")?.startTime ?? "0";
  const made = mkdtempSync(join(base, `sophia-run-${pidNamespace()}-${process.pid}-${startTime}-`));
  if (process.platform === "win32") return { path: made, inside: made, descriptor: undefined };
  let descriptor: number;
  try {
    descriptor = openFolder(made);
  } catch (error) {
    ignoreErrors(() => rmdirSync(made));
    throw error;
  }
  const path = tryLock?.(descriptor) === true ? renameAsLocked(made) : made;
  const inside = pathInside(path, descriptor);
  if (entriesOf(inside).length === 0) return { path, inside, descriptor };
  // Another user, who may rename folders in `base`, has put one with files there.
  closeSync(descriptor);
  throw Object.assign(new Error("ENOTEMPTY"), { code: "ENOTEMPTY" });
}

/** A folder that cannot get the name keeps the former one. @returns its path */
function renameAsLocked(made: string): string {
  // Not the end of the former name, which another user has seen and could have taken.
  const path = `${made.slice(0, -RANDOM_LENGTH)}${LOCKED}${randomBytes(4).toString("hex")}`;
  return attempt(() => (renameSync(made, path), path)) ?? made;
}

/** Opens a folder, not a link to one. @throws the system's error */
export function openFolder(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** Returns the path by which this process reaches an open folder even if another one has taken its path. */
export function pathInside(path: string, descriptor: number): string {
  const opened = `/proc/self/fd/${descriptor}`;
  return process.platform === "linux" && existsSync(opened) ? opened : path;
}

/** Removes a folder with these files, then releases its lock. Must be called only once. */
export function removeOwnedFolder({ path, inside, descriptor }: OwnedFolder, names: readonly string[]): void {
  removeFiles(inside, names);
  ignoreErrors(() => rmdirSync(path));
  if (descriptor !== undefined) closeSync(descriptor);
}

/** Removes the files in a folder, not folders in it. */
export function removeFiles(folder: string, names: readonly string[]): void {
  for (const name of names) ignoreErrors(() => unlinkSync(join(folder, name)));
}

/** Returns the names in a folder, but at most some thousands, since others may have made them; none if it cannot be read. */
export function entriesOf(path: string): readonly string[] {
  const names: string[] = [];
  const folder = attempt(() => opendirSync(path, { bufferSize: 512 }));
  if (folder === undefined) return names;
  try {
    for (let entry = folder.readSync(); entry !== null && names.length < MOST_ENTRIES; entry = folder.readSync()) {
      names.push(entry.name);
    }
  } finally {
    folder.closeSync();
  }
  return names;
}

/** Ignores system errors: the clean-up continues, and later starts try again. */
export function ignoreErrors(step: () => void): void {
  try {
    step();
  } catch (error) {
    codeOrThrow(error);
  }
}
