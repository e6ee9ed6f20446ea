/**
 * Lets one process at a time change a file of the user, such as the list of consents. Node.js has no flock(2), so the lock of
 * a file is a folder beside it, which contains one file with a random name:
 *
 *     allowed.json.lock/holder-1f0b7c55d2a94e36
 *
 * A process prepares such a folder under another name, and renames it to `allowed.json.lock`. That fails while a folder with a
 * file has this name (rename(2)), so that only one process succeeds. The others wait.
 *
 * A process removes a lock, its own or one that a killed process has left, by removing the file with the random name. So it
 * never removes the newer lock of another process, which has a file with another name.
 */
import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { attempt, systemErrorCode } from "./errors.ts";
import { GROUP_OR_WORLD_WRITABLE } from "./ownership.ts";
import { within } from "./paths.ts";
import { makeParentFolder, removeQuietly, type UnusableFile, withFileInPrivateFolder } from "./private-file.ts";
import { PRIVATE_UMASK, withUmask } from "./umask.ts";

/** An older lock was left by a process that was killed, because a change takes only milliseconds. */
const MAX_LOCK_AGE_MS = 5000;
/** The limit on waiting for the lock. It is longer than the age of a stale lock, so that such a lock stops no process. */
const MAX_WAIT_MS = 15_000;
/** The pause between two attempts to take the lock. */
const POLLING_INTERVAL_MS = 20;
/** Begins the names of the files in locks. Other files in such a folder are never removed. */
const HOLDER_PREFIX = "holder-";
/** The errors of rename(2) if another process has the lock. On Windows it is EPERM. */
const ALREADY_LOCKED_CODES: ReadonlySet<string | undefined> = new Set(
  process.platform === "win32" ? ["EPERM"] : ["ENOTEMPTY", "EEXIST"],
);

/**
 * Takes the lock of a file, calls `change`, and removes the lock. Meanwhile no other process that uses this function changes
 * the file, so that `change` may read the file and write it. It must do so within {@link MAX_LOCK_AGE_MS}.
 *
 * @param path the file that `change` changes
 * @param uniqueName a name that no other process has
 * @returns the result of `change`, or the reason why the lock could not be taken: the code EEXIST if another process has it
 */
export async function withFileLock<Result>(
  path: string,
  change: () => Result,
  uniqueName: string,
): Promise<{ readonly result: Result } | { readonly fault: UnusableFile }> {
  const folderFault = makeParentFolder(path);
  if (folderFault !== undefined) return { fault: folderFault };
  const lockPath = `${path}.lock`;
  const holder = HOLDER_PREFIX + uniqueName;
  const fault = await waitForLock(lockPath, holder);
  if (fault !== undefined) return { fault };
  try {
    return { result: change() };
  } finally {
    useLock(lockPath, (lock) => removeHolder(lock, holder));
  }
}

/** Tries to take a lock until no other process has it. @returns the reason why the lock could not be taken */
async function waitForLock(lockPath: string, holder: string): Promise<UnusableFile | undefined> {
  for (let waitedMs = 0; ; waitedMs += POLLING_INTERVAL_MS) {
    const takenOrFault = useLock(lockPath, (lock) => tryToTakeLock(lock, holder));
    if (takenOrFault === true) return undefined;
    if (takenOrFault !== false) return takenOrFault;
    if (waitedMs > MAX_WAIT_MS) return { kind: "system", path: lockPath, code: "EEXIST" };
    // The result is ignored: the next attempt finds out whether there is still a lock.
    useLock(lockPath, removeStaleLock);
    await setTimeout(POLLING_INTERVAL_MS);
  }
}

/** Calls `use` with a path of the lock that no other user can redirect. */
function useLock<Value>(lockPath: string, use: (lock: string) => Value): UnusableFile | Value {
  return withFileInPrivateFolder(lockPath, use, GROUP_OR_WORLD_WRITABLE);
}

/** Takes a lock that no process has. @returns false if another process has it @throws the system's error */
function tryToTakeLock(lock: string, holder: string): boolean {
  // If this process is killed before the rename, writePrivate later removes the folder, because its name ends with `.tmp`.
  const preparedFolder = `${lock}.${holder}.tmp`;
  try {
    withUmask(PRIVATE_UMASK, () => {
      mkdirSync(preparedFolder);
    });
    writeFileSync(within(preparedFolder, holder), "", { flag: "wx", mode: 0o600 });
    // On Windows not even an empty folder can be replaced by a rename.
    removeEmptyFolder(lock);
    renameSync(preparedFolder, lock);
    return true;
  } catch (error) {
    removeHolder(preparedFolder, holder);
    if (ALREADY_LOCKED_CODES.has(systemErrorCode(error))) return false;
    throw error;
  }
}

/** Removes a lock that is too old. */
function removeStaleLock(lock: string): void {
  if (lstatSync(lock, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  for (const name of readdirSync(lock)) {
    if (!name.startsWith(HOLDER_PREFIX)) continue;
    const takenAt = lstatSync(within(lock, name), { throwIfNoEntry: false })?.mtimeMs;
    // Between this check and the removal, another process may remove this lock and take its own, which stays.
    if (takenAt !== undefined && Date.now() - takenAt > MAX_LOCK_AGE_MS) removeHolder(lock, name);
  }
}

/** Removes a lock by its file with the random name. A lock with another file stays. */
function removeHolder(lock: string, holder: string): void {
  removeQuietly(within(lock, holder));
  removeEmptyFolder(lock);
}

/** Removes a folder, unless it contains a file or does not exist. */
function removeEmptyFolder(path: string): void {
  attempt(() => {
    rmdirSync(path);
  });
}
