/**
 * Lets one process at a time change a file of the user. The lock is a file beside it, because Node.js has no flock(2): the
 * process that makes `FILE.lock` changes the file and removes the lock. The other processes wait.
 */
import { lstatSync, renameSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { systemErrorCode } from "./errors.ts";
import { makeFolder } from "./folders.ts";
import { GROUP_OR_WORLD_WRITABLE } from "./ownership.ts";
import { parentOf } from "./paths.ts";
import { createPrivateFile, removeQuietly, type UnusableFile, withPrivateFolder } from "./private-file.ts";

/** An older lock was left by a process that was killed, because a change takes only milliseconds. */
const MAX_LOCK_AGE_MS = 5000;
/** The limit on waiting for the lock. It is longer than the age of a stale lock, so that such a lock stops no process. */
const MAX_WAIT_MS = 15_000;
/** The pause between two attempts to make the lock. */
const POLLING_INTERVAL_MS = 20;

/**
 * Makes the lock of a file, calls `act`, and removes the lock. Meanwhile no other process that uses this function changes the
 * file, so that `act` may read the file and write it.
 *
 * @param path the file that `act` changes
 * @param unique a name that no other process has
 * @returns the result of `act`, or the reason why the lock could not be made
 */
export async function whileLocked<Result>(
  path: string,
  act: () => Result,
  unique: string,
): Promise<{ readonly result: Result } | { readonly trouble: UnusableFile }> {
  try {
    makeFolder(parentOf(path), 0o700);
  } catch (error) {
    return { trouble: { kind: "system", path, code: systemErrorCode(error) ?? "UNKNOWN" } };
  }
  const lock = `${path}.lock`;
  const inFolder = (use: (file: string) => undefined): UnusableFile | undefined =>
    withPrivateFolder(lock, use, GROUP_OR_WORLD_WRITABLE);
  for (let waitedMs = 0; ; waitedMs += POLLING_INTERVAL_MS) {
    const trouble = inFolder((file) => createPrivateFile(file, Buffer.alloc(0)));
    if (trouble === undefined) break;
    // EEXIST: another process has the lock.
    const isHeld = trouble.kind === "system" && trouble.code === "EEXIST";
    if (!isHeld || waitedMs > MAX_WAIT_MS) return { trouble };
    // The result is ignored: if another process has moved the lock already, the next attempt finds that out.
    inFolder((file) => removeStale(file, unique));
    await setTimeout(POLLING_INTERVAL_MS);
  }
  try {
    return { result: act() };
  } finally {
    inFolder((file) => removeQuietly(file));
  }
}

/**
 * Removes a lock that is too old. It is renamed first: of several processes that rename the same lock at the same time, only
 * one succeeds.
 */
function removeStale(lock: string, unique: string): undefined {
  const stats = lstatSync(lock, { throwIfNoEntry: false });
  if (stats === undefined || Date.now() - stats.mtimeMs <= MAX_LOCK_AGE_MS) return undefined;
  const renamedLock = `${lock}.${unique}.tmp`;
  renameSync(lock, renamedLock);
  removeQuietly(renamedLock);
  return undefined;
}
